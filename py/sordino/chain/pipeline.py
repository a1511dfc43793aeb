"""The whole chain on a stream of hops: analyse -> decide -> treat. The executable specification of wasm/pipeline.c.

The order of the stages stands here and, in C, there.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from . import bands, comb, features, gains, onset, pitch, postfilter, scale, start, stft, synthesis
from .fft import Split
from .guard import guard
from .model import Model
from .network import Network
from .numerics import Float32
from .params import (
    BANDS,
    DECIMATION,
    DECIMATION_TAPS,
    HISTORY,
    HOP,
    PERIOD_MAX,
    POST_FILTER_PASSES_MAX,
    SILENT_PEAK,
    WINDOW,
)
from .records import Analysis, Channel, Decider, Decision, Frame, Inputs, Settings, State, Treatment, new_state


def latency(look_ahead: int) -> int:
    """Samples between input and output of the chain for a look-ahead of so many frames."""
    return HOP * (1 + look_ahead)


# What every channel goes through, that of a stream and those that follow one.


def set_scale(channel: Channel, wanted: int) -> None:
    """Bring what a channel remembers to another scale."""
    factor = scale.power_of_two(wanted - channel.scale)
    channel.samples, channel.overlap, channel.scale = channel.samples * factor, channel.overlap * factor, wanted


def hear(channel: Channel, hop: Float32) -> None:
    """Remember one more hop, (HOP,), guarded."""
    channel.samples = np.concatenate([channel.samples[HOP:], hop * scale.power_of_two(channel.scale)])


def observe(samples: Float32) -> Frame:
    """The frame of (WINDOW,) samples."""
    spectrum = stft.analyse(samples)
    return Frame(spectrum, bands.band_energy(*spectrum))


def observe_comb(channel: Channel, period: int, look_ahead: int) -> Split:
    """Spectrum of the comb-filtered output frame."""
    return stft.analyse(comb.comb(channel.samples, HISTORY, period, look_ahead))


def apply(channel: Channel, frame: Frame, comb_spectrum: Split, treatment: Treatment) -> Float32:
    """Treat a channel's output frame; returns (HOP,) samples."""
    mixed = gains.mix_comb(frame.spectrum, comb_spectrum, treatment.strength)
    spectrum = gains.apply_gains(mixed, frame.energy, treatment.gain)
    samples, channel.overlap = synthesis.synthesise(*spectrum, channel.overlap)
    return samples * scale.power_of_two(-channel.scale)


# analyse


def set_level(state: State, hop: Float32) -> None:
    """Follow the level; where the scale changes, bring what is remembered to the new one."""
    before, state.level = state.level, scale.follow(state.level, hop)
    if state.level.scale == before.scale:
        return
    factor = scale.power_of_two(state.level.scale - before.scale)
    power = factor * factor if before.peak != SILENT_PEAK else np.float32(0)
    set_scale(state.channel, state.level.scale)
    state.decimated, state.noise_memory = state.decimated * factor, state.noise_memory * power
    for i, frame in enumerate(state.frames):
        re, im = frame.spectrum
        state.frames[i] = Frame((re * factor, im * factor), frame.energy * power)


def follow_pitch(state: State) -> tuple[int, np.float32]:
    """Period of the output frame in samples, and the correlation there."""
    samples = state.channel.samples
    new = pitch.decimate(samples[-(HOP + DECIMATION_TAPS - DECIMATION) :])
    state.decimated = np.concatenate([state.decimated[new.shape[0] :], new])
    state.score, origin = pitch.track(state.score, pitch.correlate(state.decimated))
    state.origins.append(origin)
    back = list(state.origins)[: 0 if state.look_ahead == 0 else -(state.look_ahead + 1) : -1]
    lag = pitch.trace_back(state.score, back)
    return pitch.refine(samples[: samples.shape[0] - HOP * state.look_ahead], lag)


def compare_with_comb(frame: Frame, comb_spectrum: Split) -> Float32:
    """Coherence per band, (BANDS,), of a frame and its comb-filtered copy."""
    cross = bands.band_cross(*frame.spectrum, *comb_spectrum)
    return features.coherence(frame.energy, bands.band_energy(*comb_spectrum), cross)


def analyse(inputs: Inputs, state: State) -> Analysis:
    """Hear one hop and find out about the output frame. C twin: analyse in wasm/pipeline.c."""
    hop = guard(inputs.near.astype(np.float32))
    set_level(state, hop)
    hear(state.channel, hop)
    newest = observe(state.channel.samples[-WINDOW:])
    state.frames.append(newest)
    period, correlation = follow_pitch(state)
    frame, comb_spectrum = state.frames[0], observe_comb(state.channel, period, state.look_ahead)
    coherence = compare_with_comb(frame, comb_spectrum)
    found = features.collect(newest.energy, coherence, period, correlation)
    return Analysis(frame, comb_spectrum, found, period, correlation)


# decide


def decide(analysis: Analysis, state: State) -> Decision:
    """Ask the network. C twin: decide in wasm/pipeline.c."""
    return Decision(*state.decider.step(analysis.features))


# treat


def settle(analysis: Analysis, decision: Decision, state: State) -> Treatment:
    """What becomes of the decision: onset, post-filter, start and limit. C twin: settle in wasm/pipeline.c."""
    energy = analysis.frame.energy
    state.onset_memory, lift = onset.onset(state.onset_memory, decision.voice)
    gain = onset.lift_gains(decision.gain, lift)
    state.noise_memory, sharpening = postfilter.noise_share(state.noise_memory, gain, energy)
    for _ in range(min(state.settings.post_filter, POST_FILTER_PASSES_MAX)):
        gain = postfilter.postfilter(gain, energy, sharpening)
    gain, state.heard = start.hold_back(gain, state.heard), start.count_sound(state.heard, energy)
    gain, strength = gains.limit_gains(gain, decision.strength, state.settings.floor_gain)
    return Treatment(gain, strength, state.look_ahead, analysis.period, state.level.scale)


def treat(analysis: Analysis, decision: Decision, state: State) -> Float32:
    """Give the output frame's samples, (HOP,), full scale 1. C twin: treat in wasm/pipeline.c."""
    state.treatment = settle(analysis, decision, state)
    return apply(state.channel, analysis.frame, analysis.comb_spectrum, state.treatment)


def follow(channel: Channel, hop: Float32, treatment: Treatment) -> Float32:
    """Treat one hop of a linked channel as a stream has treated the mean of the same hop.

    hop      (HOP,) float32, full scale 1
    returns  (HOP,) float32, the stream's latency later
    source   C twin: sordino_follow in wasm/pipeline.c
    """
    set_scale(channel, treatment.scale)
    hear(channel, guard(hop.astype(np.float32)))
    frame = observe(channel.samples[HISTORY : HISTORY + WINDOW])
    comb_spectrum = observe_comb(channel, treatment.period, treatment.look_ahead)
    return apply(channel, frame, comb_spectrum, treatment)


def tell(analysis: Analysis, decision: Decision) -> dict[str, float | Float32]:
    """The read-outs by name: a line for each of readouts.READOUTS."""
    return {
        "voice": float(decision.voice),
        "gains": decision.gain,
        "strengths": decision.strength,
        "pitch_period": float(analysis.period),
        "pitch_correlation": float(analysis.correlation),
    }


class Pipeline:
    """One stream through the reference; the last analysis and decision can be read.

    model      what to run
    settings   listener's choices, may be exchanged between hops
    quantised  integer products of 8-bit weights and 7-bit activations, or float32
    decider    decides instead of the model's network
    """

    def __init__(
        self, model: Model, settings: Settings | None = None, quantised: bool = True, decider: Decider | None = None
    ) -> None:
        self.look_ahead, self.settings = model.look_ahead, settings or Settings()
        self.decider = decider or Network(model, quantised)
        self.latency = latency(model.look_ahead)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        self.decider.reset()
        self.state = new_state(self.decider, self.look_ahead, self.settings)
        silent = np.zeros(BANDS, np.float32)
        self.readouts: dict[str, float | Float32] = {
            "voice": 0.0,
            "gains": silent,
            "strengths": silent,
            "pitch_period": float(PERIOD_MAX),
            "pitch_correlation": 0.0,
        }

    def process(self, hop: Float32) -> Float32:
        """Take one hop in, give one hop out, `latency` samples later.

        hop      (HOP,) float32, full scale 1
        returns  (HOP,) float32
        raises   ValueError if hop has another shape
        """
        if hop.shape != (HOP,):
            raise ValueError(f"a hop has shape {hop.shape}, wanted {(HOP,)}")
        self.state.settings = self.settings
        self.analysis = analyse(Inputs(hop), self.state)
        self.decision = decide(self.analysis, self.state)
        out = treat(self.analysis, self.decision, self.state)
        self.readouts = tell(self.analysis, self.decision)
        return out


class Follower:
    """A channel that follows a pipeline, which works on the mean of the channels; joins with the pipeline's past."""

    def __init__(self, leader: Pipeline) -> None:
        self.leader, self.channel = leader, dataclasses.replace(leader.state.channel)

    def follow(self, hop: Float32) -> Float32:
        """Treat one hop as the leader has treated the mean of the same hop; see follow."""
        return follow(self.channel, hop, self.leader.state.treatment)


def mean(channels: list[Float32]) -> Float32:
    """Mean of the channels' hops, summed in double precision as the worklet does."""
    total = np.zeros(channels[0].shape, np.float64)
    for channel in channels:
        total = total + channel
    return (total * (1 / len(channels))).astype(np.float32)
