"""A picture of what was done to a recording: spectrogram before and after, gains, pitch, probability of speech."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sordino.chain.numerics import Float32
from sordino.chain.params import HOP, SAMPLE_RATE, WINDOW
from sordino.chain.stft import window
from sordino.run.align import aligned
from sordino.run.api import Denoiser

from .reading import open_sound
from .sound import AudioError

PICTURE_FORMATS = (".png", ".svg", ".pdf")
FLOOR_DB, CEILING_DB = -90.0, -10.0
TOP_HZ = 20_000
VOICED = 0.4
"""Correlation above which the picture shows a pitch."""


@dataclass(frozen=True)
class Story:
    """What happened in each hop.

    before, after  (n,) samples at 48 kHz, aligned
    gains          (hops, BANDS)
    pitch_hz       (hops,) not a number where nothing is voiced
    voice          (hops,)
    """

    before: Float32
    after: Float32
    gains: Float32
    pitch_hz: Float32
    voice: Float32


def follow(samples: Float32, model: str | Path = "standard", engine: str = "native") -> Story:
    """Clean 48 kHz mono, (n,) float32, and note every decision, aligned with the samples it was about."""
    stream = Denoiser(model=model, engine=engine, block_size=HOP)
    gains, pitch, voice = [], [], []

    def push(hop: Float32) -> Float32:
        out = stream.process(hop)
        decision = stream.decisions[0]
        gains.append(decision.gains)
        voiced = decision.pitch_correlation > VOICED
        pitch.append(SAMPLE_RATE / decision.pitch_period if voiced else np.nan)
        voice.append(decision.voice)
        return out

    hops = np.pad(samples, (0, -samples.shape[0] % HOP)).reshape(-1, HOP)
    after = np.concatenate(list(aligned(hops, push, stream.latency, HOP)))[: samples.shape[0]]
    rows = (np.array(x, np.float32)[stream.latency // HOP :] for x in (gains, pitch, voice))
    return Story(samples, after, *rows)


def spectrogram_db(samples: Float32) -> Float32:
    """(frames, bins) levels in dB, one frame per hop."""
    padded = np.concatenate([np.zeros(HOP, np.float32), samples, np.zeros(HOP, np.float32)])
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * HOP)[::HOP]
    power = np.abs(np.fft.rfft(frames * window()) / HOP) ** 2
    return np.asarray(10 * np.log10(power + 1e-12), np.float32)


def read_mono(path: Path, start_s: float, seconds: float) -> Float32:
    """Part of a file as 48 kHz mono. Raises what open_sound raises; AudioError for a start beyond the end."""
    from sordino.chain.resample import Resampler, half_width

    sound = open_sound(path)
    try:
        rate = sound.format.rate
        frames = _cut(sound.blocks(), int(start_s * rate), int(seconds * rate))
    finally:
        sound.close()
    if frames.shape[1] == 0:
        raise AudioError(f"{path} has nothing from {start_s:g} s on")
    mono = frames.mean(axis=0, dtype=np.float32)
    if rate == SAMPLE_RATE:
        return np.ascontiguousarray(mono)
    least = half_width(rate, SAMPLE_RATE)
    delay = np.ceil(least * SAMPLE_RATE / rate) * rate / SAMPLE_RATE
    tail = np.zeros(int(delay) + 1, np.float32)
    late = Resampler(rate, SAMPLE_RATE, float(delay)).process(np.concatenate([mono, tail]))
    return late[round(delay * SAMPLE_RATE / rate) :][: mono.shape[0] * SAMPLE_RATE // rate]


def _cut(blocks: Iterable[Float32], first: int, count: int) -> Float32:
    """(channels, at most count) from a frame on; nothing is read beyond."""
    kept, at = [], 0
    for block in blocks:
        kept.append(block[:, max(0, first - at) : max(0, first + count - at)])
        at += block.shape[1]
        if at >= first + count:
            break
    return np.concatenate(kept, axis=1) if kept else np.zeros((1, 0), np.float32)


def draw(story: Story, title: str, target: Path) -> None:
    """Write the picture. Raises ImportError without matplotlib."""
    from matplotlib.figure import Figure

    from sordino.chain.bands import centres

    seconds = story.before.shape[0] / SAMPLE_RATE
    figure = Figure(figsize=(12, 11), layout="constrained")
    before, after, gains, pitch, voice = figure.subplots(5, 1, sharex=True, height_ratios=(3, 3, 2, 1.3, 0.8))
    figure.suptitle(title)
    upright = {"aspect": "auto", "origin": "lower"}
    extent = (0.0, seconds, 0.0, SAMPLE_RATE / 2000)
    for axes, samples, name in ((before, story.before, "before"), (after, story.after, "after")):
        levels = spectrogram_db(samples).T
        image = axes.imshow(levels, "magma", extent=extent, vmin=FLOOR_DB, vmax=CEILING_DB, **upright)
        axes.set(ylabel=f"{name}\nfrequency / kHz", ylim=(0, TOP_HZ / 1000))
    figure.colorbar(image, ax=(before, after), label="level / dB", pad=0.01)
    bands = story.gains.shape[1]
    extent = (0.0, seconds, -0.5, bands - 0.5)
    shown = gains.imshow(story.gains.T, "viridis", extent=extent, vmin=0, vmax=1, **upright)
    ticks = range(1, bands, 6)
    gains.set_yticks(list(ticks), [f"{centres()[b] * SAMPLE_RATE / WINDOW / 1000:.1f}" for b in ticks])
    gains.set_ylabel("band gains\ncentre / kHz")
    figure.colorbar(shown, ax=gains, label="gain", pad=0.01)
    at = (np.arange(story.voice.shape[0]) + 0.5) * HOP / SAMPLE_RATE
    pitch.plot(at, story.pitch_hz, ".", markersize=2.5, color="tab:blue")
    pitch.set(ylabel="pitch / Hz", ylim=(55, 520), yscale="log")
    pitch.set_yticks([60, 100, 200, 400], ["60", "100", "200", "400"])
    pitch.minorticks_off()
    pitch.grid(alpha=0.3)
    voice.fill_between(at, story.voice, step="mid", color="tab:green", alpha=0.6, linewidth=0)
    voice.set(ylabel="speech", ylim=(0, 1), xlabel="time / s", xlim=(0, seconds))
    figure.savefig(target, dpi=110)
