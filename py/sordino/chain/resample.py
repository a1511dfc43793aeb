"""Sample rate conversion for streams: polyphase windowed sinc, for contexts that do not run at 48 kHz."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from .numerics import LANES, Float32, lane_sum
from .params import RESAMPLE_HALF, RESAMPLE_KAISER_BETA_HALF, RESAMPLE_PHASES_MAX, RESAMPLE_SERIES

Float64 = NDArray[np.float64]


def half_width(in_hz: int, out_hz: int) -> float:
    """Input samples on each side of the filter's centre, which is also the least delay."""
    return RESAMPLE_HALF * in_hz / out_hz if in_hz > out_hz else float(RESAMPLE_HALF)


def sinc(x: Float64) -> Float64:
    """sin(pi x) / (pi x) by a series, the same bits on every machine."""
    x = np.abs(x)
    whole = (x + 0.5).astype(np.uint32)
    angle = np.pi * (x - whole)
    square = angle * angle
    series = np.zeros_like(x)
    for k in range(23, 2, -2):
        series = (1.0 + series) * (-square / float(k * (k - 1)))
    sine = angle * (1.0 + series)
    near = x < 1e-9
    return np.where(near, 1.0, np.where(whole % 2 == 1, -sine, sine) / np.where(near, 1.0, np.pi * x))


def kaiser(x: Float64) -> Float64:
    """Kaiser's window on -1..1, up to a factor."""
    q = (np.float64(np.float32(RESAMPLE_KAISER_BETA_HALF)) ** 2) * (1.0 - x * x)
    series = np.zeros_like(x)
    for k in range(RESAMPLE_SERIES, 0, -1):
        series = (1.0 + series) * (q / float(k * k))
    return np.where(np.abs(x) < 1.0, 1.0 + series, 0.0)


def design(in_hz: int, out_hz: int, delay: float) -> Float32:
    """The filter's phases: row p serves an output sample p / phases of an input sample after the newest input.

    returns  (phases + 1, taps) float32, each row sums to 1
    source   C twin: design in wasm/resample.c
    """
    half = half_width(in_hz, out_hz)
    phases = min(Fraction(out_hz, in_hz).numerator, RESAMPLE_PHASES_MAX)
    taps = -(-(int(delay + half) + 2) // LANES) * LANES
    fraction = np.arange(phases + 1)[:, None] / float(phases)
    away = fraction + (taps - 1.0 - np.arange(taps)) - delay
    rows = kaiser(away / half) * sinc(away * (RESAMPLE_HALF / half))
    return (rows / np.cumsum(rows, axis=1)[:, -1:]).astype(np.float32)


class Resampler:
    """One channel of a stream. Output sample m is the input at m in_hz / out_hz - delay.

    delay  input samples, half_width(in_hz, out_hz) or up to twice as much
    """

    def __init__(self, in_hz: int, out_hz: int, delay: float | None = None) -> None:
        self.delay = half_width(in_hz, out_hz) if delay is None else delay
        self.filter = design(in_hz, out_hz, self.delay)
        ratio = Fraction(out_hz, in_hz)
        self.up, self.down = ratio.numerator, ratio.denominator
        self.past = np.zeros(self.filter.shape[1], np.float32)
        self.heard = self.given = 0

    def process(self, samples: Float32) -> Float32:
        """Convert a block of any length; after n samples in all, ceil(n out_hz / in_hz) have come out.

        source  C twin: sordino_resample in wasm/resample.c
        """
        x = np.concatenate([self.past, np.where(np.isfinite(samples), samples, np.float32(0)).astype(np.float32)])
        total = -(-(self.heard + samples.shape[0]) * self.up // self.down)
        m = np.arange(self.given, total, dtype=np.int64)
        newest, rest = np.divmod(m * self.down, self.up)
        taps, phases = self.filter.shape[1], self.filter.shape[0] - 1
        windows = x[(newest - self.heard + 1)[:, None] + np.arange(taps)]
        row, between = np.divmod(rest * phases, self.up)
        here = lane_sum(windows * self.filter[row])
        next_ = lane_sum(windows * self.filter[np.minimum(row + 1, phases)])
        weight = between.astype(np.float32) / np.float32(self.up)
        self.past, self.heard, self.given = x[x.shape[0] - taps :], self.heard + samples.shape[0], int(total)
        return np.where(between == 0, here, here + weight * (next_ - here))
