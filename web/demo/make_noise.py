"""Noises for make_clips.py that nobody has to have recorded: a fan, and cars that pass; float64 at 48 kHz, mono."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
SOUND_M_S = 343.0

Signal = NDArray[np.float64]


def shaped_noise(samples: int, points: dict[float, float], seed: int) -> Signal:
    """Gaussian noise of unit power whose level follows points: Hz -> dB, on straight lines over log frequency."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 1))
    level_db = np.interp(octaves, np.log2(list(points)), list(points.values()))
    signal = np.fft.irfft(spectrum * 10 ** (level_db / 20), samples)
    return signal / np.sqrt(np.mean(signal**2))


def fan(samples: int) -> Signal:
    """Rushing air, the hum of four blades at 28 turns a second, and a flutter that never quite repeats."""
    t = np.arange(samples) / SAMPLE_RATE
    air = shaped_noise(samples, {20: -12, 120: 0, 600: -4, 2500: -16, 9000: -34, 20_000: -52}, seed=1)
    flutter = 1 + 0.12 * shaped_noise(samples, {0.5: 0, 3: -3, 9: -40, 20_000: -120}, seed=2)
    turns = 28 * t + 0.02 * np.sin(2 * np.pi * 0.31 * t)
    hum = sum(0.5 / k * np.sin(2 * np.pi * 4 * k * turns + k) for k in range(1, 6))
    whirr = sum(0.12 / k * np.sin(2 * np.pi * k * turns) for k in range(1, 4))
    return flutter * air + 0.45 * (hum + whirr)


def car(samples: int, at_s: float, speed_m_s: float, aside_m: float, engine_hz: float, seed: int) -> Signal:
    """One car on a straight road: tyres and engine, louder as it nears, Doppler-shifted by its own speed."""
    t = np.arange(samples) / SAMPLE_RATE - at_s
    distance_m = np.hypot(speed_m_s * t, aside_m)
    towards_m_s = -np.gradient(distance_m, 1 / SAMPLE_RATE)
    phase = 2 * np.pi * np.cumsum(engine_hz / (1 - towards_m_s / SOUND_M_S)) / SAMPLE_RATE
    engine = sum(np.sin(k * phase + k * k) / k**1.1 for k in range(1, 14))
    near = shaped_noise(samples, {40: -16, 250: -6, 900: 0, 2200: -7, 7000: -26, 20_000: -50}, seed)
    far = shaped_noise(samples, {40: -6, 150: 0, 600: -8, 2000: -26, 20_000: -70}, seed + 1)
    closeness = aside_m / distance_m
    return closeness**1.6 * (near + 0.28 * engine) + 0.5 * closeness * far


def traffic(samples: int) -> Signal:
    """Five cars, two of them close, over the murmur of the streets behind."""
    murmur = shaped_noise(samples, {20: -4, 90: 0, 400: -9, 1500: -22, 6000: -44, 20_000: -70}, seed=3)
    passes = [
        car(samples, 1.2, 13, 6, 47, 10),
        car(samples, 3.6, -15, 9, 61, 20),
        car(samples, 5.1, 12, 5, 39, 30),
        car(samples, 7.4, -14, 9, 55, 40),
        car(samples, 9.3, 14, 6, 44, 50),
    ]
    return 0.3 * murmur + sum(passes)
