"""Synthetic noise: a number of seconds and a seed go in, engines, hums, alarms and moving textures come out.

Recorded noise is scarce; of these there are as many as one likes, no two alike. Each clip is one kind of source with
its own pitch, roughness, colour and resonances.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE

from .clips import SYNTHETIC_PREFIX, Clip, Sound, active_level_db

CLIP_S = 10.0
LEVEL_DB = -20.0  # mean power of a clip re full scale, lower where it would clip
_TABLE = 8192  # samples of one period
_HIGHEST_HZ = 16000.0
_MOST_PARTIALS = 400
_TEXTURE_BANDS = 14
_MAINS_HZ = (50.0, 60.0)
Signal = NDArray[np.float64]


def wander(rng: np.random.Generator, samples: int, points_per_s: float) -> Signal:
    """Return a smooth random curve of mean 0 and spread about 1, (samples,)."""
    count = max(4, int(points_per_s * samples / SAMPLE_RATE) + 3)
    curve: Signal = np.interp(np.linspace(0, count - 1, samples), np.arange(count), rng.standard_normal(count))
    return curve


def wavetable(rng: np.random.Generator, amplitudes: Signal) -> Signal:
    """Return one period of a tone whose partials 1, 2, ... have these amplitudes and random phases, rms 1."""
    spectrum = np.zeros(_TABLE // 2 + 1, complex)
    phases = rng.uniform(0, 2 * math.pi, len(amplitudes))
    spectrum[1 : len(amplitudes) + 1] = amplitudes * np.exp(1j * phases)
    table: Signal = np.fft.irfft(spectrum)
    return table / (math.sqrt(float(np.mean(table**2))) + 1e-12)


def play(table: Signal, cycles: Signal) -> Signal:
    """Read a period at the phases `cycles`, in periods, (samples,)."""
    place = (cycles % 1.0) * len(table)
    first = place.astype(np.int64) % len(table)
    step = place - np.floor(place)
    found: Signal = table[first] + step * (table[(first + 1) % len(table)] - table[first])
    return found


def coloured(rng: np.random.Generator, signal: Signal, resonances: int, tilt_db: tuple[float, float]) -> Signal:
    """Filter a signal by a random tilt, in dB per octave, and so many random resonances; rms 1."""
    size = 1 << (len(signal) - 1).bit_length()
    octaves = np.log2(np.fft.rfftfreq(size, 1 / SAMPLE_RATE).clip(20.0))
    curve_db = rng.uniform(*tilt_db) * (octaves - math.log2(1000.0))
    for _ in range(resonances):
        centre, width = rng.uniform(math.log2(60.0), math.log2(12000.0)), np.exp(rng.uniform(*np.log((0.05, 0.6))))
        curve_db += rng.uniform(-12, 18) * np.exp(-0.5 * ((octaves - centre) / width) ** 2)
    found: Signal = np.fft.irfft(np.fft.rfft(signal, size) * 10 ** (curve_db.clip(-60, 40) / 20), size)[: len(signal)]
    return found / (math.sqrt(float(np.mean(found**2))) + 1e-12)


def _engine(rng: np.random.Generator, samples: int) -> Signal:
    """Something that turns: a tone rough from stroke to stroke, and noise that comes and goes with it."""
    strokes = int(rng.integers(1, 7))
    octave: float | Signal = math.log2(np.exp(rng.uniform(*np.log((12.0, 350.0)))))
    if rng.random() < 0.35:
        octave = octave + rng.uniform(0.1, 0.6) * wander(rng, samples, rng.uniform(0.1, 0.6))
    octave = octave + rng.uniform(0, 0.03) * wander(rng, samples, 1.0)
    hz = 2 ** (octave + rng.uniform(0, 0.01) * wander(rng, samples, 30))
    cycles = np.cumsum(hz) / SAMPLE_RATE
    partial = np.arange(1, int(min(_MOST_PARTIALS, strokes * _HIGHEST_HZ / hz.max())) + 1)
    amplitudes = (partial / strokes) ** -rng.uniform(0.2, 2.0) * np.exp(rng.normal(0, 0.9, len(partial)))
    amplitudes[partial % strokes > 0] *= 10 ** (-rng.uniform(3, 25) / 20)
    tone = play(wavetable(rng, amplitudes), cycles / strokes)
    stroke = (0.5 + 0.5 * np.cos(2 * math.pi * (cycles + rng.random()))) ** rng.uniform(0.5, 4)
    breath = rng.standard_normal(samples) * (1 + rng.uniform(0, 3) * stroke)
    breath = coloured(rng, breath, int(rng.integers(4)), (-6, 2))
    loudness = np.exp(rng.uniform(0, 0.3) * wander(rng, samples, 0.7))
    return (tone + 10 ** (rng.uniform(-25, 10) / 20) * breath) * loudness


def _hum(rng: np.random.Generator, samples: int) -> Signal:
    """Mains and what hangs on it: partials that do not move, and hiss."""
    hz = rng.choice(_MAINS_HZ) * rng.choice([1, 2])
    partial = np.arange(1, int(rng.integers(4, 120)) + 1, dtype=np.float64)
    amplitudes = partial ** -rng.uniform(0.3, 1.6) * np.exp(rng.normal(0, 1.0, len(partial)))
    tone = play(wavetable(rng, amplitudes), np.arange(samples) * (hz / SAMPLE_RATE))
    return tone + 10 ** (rng.uniform(-30, 6) / 20) * coloured(rng, rng.standard_normal(samples), 2, (-6, 1))


def _alarm(rng: np.random.Generator, samples: int) -> Signal:
    """Beeps, rings and sirens: tones that go on and off, take turns or glide."""
    time = np.arange(samples) / SAMPLE_RATE
    period = np.exp(rng.uniform(*np.log((0.08, 2.0))))
    part = (time / period + rng.random()) % 1.0
    low = np.exp(rng.uniform(*np.log((350.0, 3000.0))))
    high = low * rng.uniform(1.0, 1.8)
    glide = 0.5 - 0.5 * np.cos(2 * math.pi * part)
    hz = [np.full(samples, low), np.where(part < 0.5, low, high), low + (high - low) * glide][int(rng.integers(3))]
    amplitudes = np.arange(1, int(rng.integers(2, 9)), dtype=np.float64) ** -rng.uniform(0.5, 3.0)
    tone = play(wavetable(rng, amplitudes), np.cumsum(hz) / SAMPLE_RATE)
    sounding = part < rng.uniform(0.2, 1.2)
    if rng.random() < 0.4:
        sounding &= (time / (period * rng.integers(3, 9)) + rng.random()) % 1.0 < 0.6
    return coloured(rng, tone * np.convolve(sounding, np.hanning(240) / 120, "same"), 2, (-3, 3))


def _texture(rng: np.random.Generator, samples: int) -> Signal:
    """Wind, water, wheels, dishes: noise whose bands swell together and apart, smoothly or in bursts."""
    size = 1 << (samples - 1).bit_length()
    spectrum = np.fft.rfft(rng.standard_normal(samples), size)
    octaves = np.log2(np.fft.rfftfreq(size, 1 / SAMPLE_RATE).clip(20.0))
    edges = np.linspace(math.log2(60.0), math.log2(20000.0), _TEXTURE_BANDS)
    speed = np.exp(rng.uniform(*np.log((0.3, 25.0))))
    together, spread, bursts = rng.random(), rng.uniform(0.2, 1.5), rng.random() < 0.35
    common = wander(rng, samples, speed)
    out = np.zeros(samples)
    for centre in edges:
        band = np.fft.irfft(spectrum * np.maximum(0, 1 - np.abs(octaves - centre) / (edges[1] - edges[0])), size)
        curve = together * common + (1 - together) * wander(rng, samples, speed * rng.uniform(0.7, 1.5))
        out += band[:samples] * np.exp((3 * np.maximum(curve, 0) if bursts else curve) * spread)
    return coloured(rng, out, int(rng.integers(5)), (-7, 2))


_KINDS: dict[str, tuple[float, Callable[[np.random.Generator, int], Signal]]] = {
    "engine": (0.45, _engine),
    "texture": (0.32, _texture),
    "hum": (0.1, _hum),
    "alarm": (0.13, _alarm),
}


def as_sound(name: str, category: str, signal: Signal) -> Sound:
    """Scale a signal to LEVEL_DB and make it a clip of a cache."""
    scale = min(10 ** (LEVEL_DB / 20) / (math.sqrt(float(np.mean(signal**2))) + 1e-12), 0.9 / np.abs(signal).max())
    samples = np.round(signal * scale * 32767).astype(np.int16)
    level_db = active_level_db(samples)
    return Sound(samples, Clip(name, 0, len(samples), "", category, SAMPLE_RATE / 2, math.nan, level_db, 0.0))


def noise_sounds(seconds: float, seed: int) -> list[Sound]:
    """Make noises of CLIP_S each.

    seconds  in all
    seed     the same seed, the same noises
    returns  clips whose category is engine, texture, hum or alarm
    """
    chances, found = [chance for chance, _ in _KINDS.values()], []
    for index in range(math.ceil(seconds / CLIP_S)):
        rng = np.random.default_rng((seed, index))
        kind = str(rng.choice(list(_KINDS), p=chances))
        signal = _KINDS[kind][1](rng, int(CLIP_S * SAMPLE_RATE))
        if kind == "engine":
            signal = coloured(rng, signal, int(rng.integers(7)), (-4, 2))
        found.append(as_sound(f"{SYNTHETIC_PREFIX}noise-{index}", kind, signal))
    return found
