"""The whole chain on a stream of hops, stage by stage: the executable specification of wasm/pipeline.c."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from . import bands, comb, features, gains, pitch, scale, stft
from .model import Model
from .network import Network
from .numerics import Float32
from .onset import lift_gains, onset
from .params import (
    BANDS,
    BINS,
    DECIMATION_TAPS,
    HISTORY,
    HOP,
    LAGS,
    PITCH_HISTORY,
    POST_FILTER_PASSES_MAX,
    SAMPLE_FLOOR,
    SAMPLE_LIMIT,
    SILENT_PEAK,
    WINDOW,
)
from .postfilter import noise_share, postfilter


@dataclass(frozen=True)
class Settings:
    """What a listener may choose.

    post_filter  how often the gains are sharpened, 0 to POST_FILTER_PASSES_MAX
    floor_gain   no band is attenuated below this amplitude, 0..1, nor raised by the post-filter above its inverse; the
                 comb filter is held back by as much, so that 1 leaves the sound as it is
    """

    post_filter: int = 1
    floor_gain: float = 0.0


def latency(look_ahead: int) -> int:
    """Samples between input and output of the chain for a look-ahead of so many frames."""
    return HOP * (1 + look_ahead)


def guard(x: Float32) -> Float32:
    """Samples fit for the chain: not finite or minute -> 0, huge -> clamped; same shape."""
    limit = np.float32(SAMPLE_LIMIT)
    x = np.where(np.isfinite(x), x, np.float32(0))
    x = np.minimum(np.maximum(x, -limit), limit)
    return np.where(np.abs(x) < np.float32(SAMPLE_FLOOR), np.float32(0), x)


class Pipeline:
    """One stream through the reference. Every stage's last result can be read as an attribute.

    model      what to run
    settings   listener's choices, may be exchanged between hops
    quantised  as in Network
    """

    def __init__(self, model: Model, settings: Settings | None = None, quantised: bool = True) -> None:
        self.model, self.settings = model, settings or Settings()
        self.network = Network(model, quantised)
        self.latency = latency(model.look_ahead)
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        frames = self.model.look_ahead + 1
        silent = np.zeros(BINS, np.float32)
        self.level = scale.Level()
        self.samples = np.zeros(HISTORY + WINDOW + HOP * self.model.look_ahead, np.float32)
        self.decimated = np.zeros(PITCH_HISTORY, np.float32)
        self.spectra = deque([(silent, silent)] * frames, frames)
        self.energies = deque([np.zeros(BANDS, np.float32)] * frames, frames)
        self.score = np.zeros(LAGS, np.float32)
        self.origins = deque([np.arange(LAGS, dtype=np.uint8)] * frames, frames)
        self.overlap = np.zeros(HOP, np.float32)
        self.onset_memory = np.zeros(2, np.float32)
        self.noise_memory = np.zeros(2, np.float32)
        self.network.reset()

    def process(self, hop: Float32) -> Float32:
        """Take one hop in, give one hop out, `latency` samples later.

        hop      (HOP,) float32, full scale 1
        returns  (HOP,) float32
        raises   ValueError if hop has another shape
        """
        if hop.shape != (HOP,):
            raise ValueError(f"a hop has shape {hop.shape}, wanted {(HOP,)}")
        hop = guard(hop.astype(np.float32))
        self._set_level(hop)
        self._listen(hop * scale.power_of_two(self.level.scale))
        self._follow_pitch()
        self._compare_with_comb()
        self._decide()
        return self._speak()

    def _set_level(self, hop: Float32) -> None:
        """Follow the level; where the scale changes, bring what is remembered to the new one."""
        before, self.level = self.level, scale.follow(self.level, hop)
        if self.level.scale == before.scale:
            return
        factor = scale.power_of_two(self.level.scale - before.scale)
        power = factor * factor if before.peak != SILENT_PEAK else np.float32(0)
        self.samples, self.decimated = self.samples * factor, self.decimated * factor
        self.overlap, self.noise_memory = self.overlap * factor, self.noise_memory * power
        for i, (re, im) in enumerate(self.spectra):
            self.spectra[i] = (re * factor, im * factor)
        for i, energy in enumerate(self.energies):
            self.energies[i] = energy * power

    def _listen(self, hop: Float32) -> None:
        self.samples = np.concatenate([self.samples[HOP:], hop])
        spectrum = stft.analyse(self.samples[-WINDOW:])
        self.spectra.append(spectrum)
        self.energies.append(bands.band_energy(*spectrum))

    def _follow_pitch(self) -> None:
        new = pitch.decimate(self.samples[-(HOP + DECIMATION_TAPS - 4) :])
        self.decimated = np.concatenate([self.decimated[new.shape[0] :], new])
        self.score, origin = pitch.track(self.score, pitch.correlate(self.decimated))
        self.origins.append(origin)
        back = list(self.origins)[: 0 if self.model.look_ahead == 0 else -(self.model.look_ahead + 1) : -1]
        self.lag = pitch.trace_back(self.score, back)
        frame_end = self.samples.shape[0] - HOP * self.model.look_ahead
        self.period, self.correlation = pitch.refine(self.samples[:frame_end], self.lag)

    def _compare_with_comb(self) -> None:
        combed = comb.comb(self.samples, HISTORY, self.period, self.model.look_ahead)
        self.spectrum, self.energy = self.spectra[0], self.energies[0]
        self.comb_spectrum = stft.analyse(combed)
        comb_energy = bands.band_energy(*self.comb_spectrum)
        cross = bands.band_cross(*self.spectrum, *self.comb_spectrum)
        self.coherence = features.coherence(self.energy, comb_energy, cross)

    def _decide(self) -> None:
        self.features = features.collect(self.energies[-1], self.coherence, self.period, self.correlation)
        self.gain, self.strength, self.voice = self.network.step(self.features)

    def _speak(self) -> Float32:
        self.onset_memory, lift = onset(self.onset_memory, self.voice)
        gain = lift_gains(self.gain, lift)
        self.noise_memory, sharpening = noise_share(self.noise_memory, gain, self.energy)
        for _ in range(min(self.settings.post_filter, POST_FILTER_PASSES_MAX)):
            gain = postfilter(gain, self.energy, sharpening)
        floor = np.float32(self.settings.floor_gain)
        most = np.float32(1) / floor if floor > 0 else np.finfo(np.float32).max
        self.final_gain = np.minimum(np.maximum(gain, floor), most)
        self.final_strength = self.strength * (np.float32(1) - floor)
        mixed = gains.mix_comb(self.spectrum, self.comb_spectrum, self.final_strength)
        self.output = gains.apply_gains(mixed, self.energy, self.final_gain)
        samples, self.overlap = stft.synthesise(*self.output, self.overlap)
        return samples * scale.power_of_two(-self.level.scale)


def denoise(samples: Float32, model: Model, settings: Settings | None = None, quantised: bool = True) -> Float32:
    """Offline: run a whole 48 kHz mono recording through the reference, aligned with the input.

    samples  (n,) float32
    returns  (n,) float32
    """
    pipeline = Pipeline(model, settings, quantised)
    hops = -(-(samples.shape[0] + pipeline.latency) // HOP)
    padded = np.zeros(hops * HOP, np.float32)
    padded[: samples.shape[0]] = samples
    out = np.concatenate([pipeline.process(h) for h in padded.reshape(-1, HOP)])
    return out[pipeline.latency : pipeline.latency + samples.shape[0]]
