"""Stage comb: average a frame with its neighbours at multiples of the pitch period, as far as the look-ahead allows."""

from __future__ import annotations

from functools import cache

import numpy as np

from .numerics import Float32
from .params import COMB_REACH, HOP, WINDOW

TAPS = 2 * COMB_REACH + 1


@cache
def weights() -> Float32:
    """Hann weights per number of future periods, (COMB_REACH + 1, TAPS), farthest future first, rows sum to 1."""
    k = np.arange(-COMB_REACH, COMB_REACH + 1)
    hann = 1 + np.cos(np.pi * k / (COMB_REACH + 1))
    rows = [np.where(k >= -future, hann, 0) for future in range(COMB_REACH + 1)]
    return np.stack([row / row.sum() for row in rows]).astype(np.float32)


def sigma2() -> Float32:
    """Share of white noise power that passes the comb, per number of future periods, (COMB_REACH + 1,)."""
    return (weights().astype(np.float64) ** 2).sum(axis=1).astype(np.float32)


def future_periods(period: int, look_ahead: int) -> int:
    """Periods of future that a look-ahead of so many frames holds, 0..COMB_REACH."""
    return min(COMB_REACH, look_ahead * HOP // period)


def comb(x: Float32, start: int, period: int, look_ahead: int) -> Float32:
    """Comb-filtered copy of one frame.

    x           (n,) float32 samples
    start       index of the frame's first sample; COMB_REACH periods before and look_ahead hops after it exist
    period      pitch period in samples
    look_ahead  frames, 0..2
    returns     (WINDOW,) float32: sum_k w_k x[n - k period], not windowed
    source      Valin et al. 2020, arXiv:2008.04259; C twin: sordino_comb in wasm/comb.c
    """
    future = future_periods(period, look_ahead)
    weight = weights()[future]
    y = np.zeros(WINDOW, np.float32)
    for k in range(-future, COMB_REACH + 1):
        first = start - k * period
        y = y + weight[k + COMB_REACH] * x[first : first + WINDOW]
    return y
