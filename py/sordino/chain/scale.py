"""Stage scale: choose the power of two that brings the input to a level for which the chain is made.

Everything after it works on the scaled samples, and the output is scaled back. Powers of two change no bit of a
mantissa, so the chain treats a faint recording as it treats the same recording at an ordinary level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .numerics import Float32
from .params import (
    SCALE_FAINT,
    SCALE_FALL_HOPS,
    SCALE_HOT,
    SCALE_MAX,
    SCALE_RELEASE_HOPS,
    SCALE_SLACK,
    SCALE_TARGET,
    SILENT_PEAK,
)


@dataclass(frozen=True)
class Level:
    """How loud a stream is, and what its samples are multiplied by.

    peak   exponent of the loudest recent sample, which lies below 2^peak; SILENT_PEAK before there was any
    age    hops since the peak was reached or last lowered
    scale  the samples are multiplied by 2^scale
    wait   hops until the scale may fall by another step
    """

    peak: int = SILENT_PEAK
    age: int = 0
    scale: int = 0
    wait: int = 0


def peak_exponent(x: Float32) -> int:
    """Smallest e with every |x| < 2^e, x (n,) float32 with finite samples; SILENT_PEAK where all are 0."""
    most = np.abs(x).max(initial=np.float32(0))
    return int(np.frexp(most)[1]) if most > 0 else SILENT_PEAK


def wanted_scale(peak: int, scale: int) -> int:
    """Scale for a peak exponent: none for ordinary levels, for faint ones the present one as long as it serves."""
    if peak > SCALE_HOT:
        return SCALE_HOT - peak
    if scale > 0 and abs(peak + scale - SCALE_TARGET) <= SCALE_SLACK:
        return scale
    return 0 if peak >= SCALE_FAINT else min(SCALE_TARGET - peak, SCALE_MAX)


def follow(level: Level, x: Float32) -> Level:
    """Choose the scale of one more hop.

    A louder hop counts at once, though the scale falls step by step; after SCALE_RELEASE_HOPS without one the peak is
    taken to be 6 dB lower. Digital silence changes nothing.

    level    of the stream before this hop
    x        (HOP,) float32 samples as they came
    returns  the new level
    source   C twin: sordino_follow_level in wasm/scale.c
    """
    found = peak_exponent(x)
    if found == SILENT_PEAK:
        return level
    peak, age = level.peak, level.age + 1
    if found >= peak:
        peak, age = found, 0
    elif age == SCALE_RELEASE_HOPS:
        peak, age = peak - 1, 0
    wanted, wait = wanted_scale(peak, level.scale), max(0, level.wait - 1)
    if wanted >= level.scale or level.peak == SILENT_PEAK:
        return Level(peak, age, wanted, wait)
    if wait:
        return Level(peak, age, level.scale, wait)
    return Level(peak, age, level.scale - 1, SCALE_FALL_HOPS)


def power_of_two(exponent: int) -> np.float32:
    """2^exponent, exactly."""
    return np.float32(2.0**exponent)
