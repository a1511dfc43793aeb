"""Stage pitch: normalised correlation of the decimated newest frame, a Viterbi track, refinement at the full rate.

Arrays over lags run from the longest lag to the shortest (index i is lag LAG_MAX - i), so that neighbouring lags
read neighbouring samples.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from .numerics import Float32, lane_sum, ordered_sum
from .params import (
    CORRELATION_FLOOR,
    DECIMATION,
    DECIMATION_CUTOFF_HZ,
    DECIMATION_TAPS,
    LAG_MAX,
    LAG_MIN,
    LAGS,
    LONG_LAG_COST,
    PERIOD_MAX,
    PERIOD_MIN,
    PITCH_WINDOW,
    REFINE,
    SAMPLE_RATE,
    TRACK_JUMP_COST,
    TRACK_MOVE_COST,
    TRACK_REACH,
    WINDOW,
)


@cache
def decimation_filter() -> Float32:
    """Low-pass for the decimation: windowed sinc (Hann), unit gain at 0 Hz, (DECIMATION_TAPS,)."""
    n = np.arange(DECIMATION_TAPS) - (DECIMATION_TAPS - 1) / 2
    taps = np.sinc(2 * DECIMATION_CUTOFF_HZ / SAMPLE_RATE * n) * np.cos(np.pi * n / (DECIMATION_TAPS + 1)) ** 2
    return (taps / taps.sum()).astype(np.float32)


@cache
def lag_cost() -> Float32:
    """Cost of each lag, (LAGS,): LONG_LAG_COST per octave above LAG_MIN."""
    return (LONG_LAG_COST * np.log2((LAG_MAX - np.arange(LAGS)) / LAG_MIN)).astype(np.float32)


def decimate(x: Float32) -> Float32:
    """Low-pass and keep every fourth sample.

    x        (4 n + DECIMATION_TAPS - 4,) float32: the new samples after DECIMATION_TAPS - 4 old ones
    returns  (n,) float32
    source   C twin: sordino_decimate in wasm/pitch.c
    """
    return lane_sum(sliding_window_view(x, DECIMATION_TAPS)[::DECIMATION] * decimation_filter())


def correlate(x: Float32) -> Float32:
    """Normalised correlation of the newest frame with itself at every lag.

    x        (PITCH_HISTORY,) float32 decimated samples, the frame is the last PITCH_WINDOW
    returns  (LAGS,) float32 in -1..1, longest lag first
    source   C twin: sordino_correlate in wasm/pitch.c
    """
    start = x.shape[0] - PITCH_WINDOW
    frame = x[start:]
    lagged = sliding_window_view(x, LAGS)[start - LAG_MAX : start - LAG_MAX + PITCH_WINDOW]
    cross = ordered_sum(frame[:, None] * lagged, axis=0)
    running = np.concatenate([np.zeros(1, np.float32), np.add.accumulate(x * x, dtype=np.float32)])
    first = start - LAG_MAX + np.arange(LAGS)
    lagged_energy = np.maximum(running[first + PITCH_WINDOW] - running[first], np.float32(0))
    energy = running[-1] - running[start]
    root = np.sqrt(energy * lagged_energy + np.float32(CORRELATION_FLOOR))
    return np.minimum(np.maximum(cross / root, np.float32(-1)), np.float32(1))


def track(score: Float32, correlation: Float32) -> tuple[Float32, NDArray[np.uint8]]:
    """One forward step of the Viterbi search for the lag contour.

    score        (LAGS,) float32 score of the best contour that ends in each lag, one frame ago; best is 0
    correlation  (LAGS,) float32 of the newest frame
    returns      (score, origin): new scores, best is 0; and for each lag the index it came from, uint8
    source       C twin: sordino_track in wasm/pitch.c
    """
    index = np.arange(LAGS)
    best, origin = score.copy(), index.copy()
    padded = np.pad(score, TRACK_REACH, constant_values=np.float32(-1e9))
    for step in range(1, TRACK_REACH + 1):
        for move in (-step, step):
            candidate = padded[TRACK_REACH + move : TRACK_REACH + move + LAGS] - np.float32(step * TRACK_MOVE_COST)
            better = candidate > best
            best, origin = np.where(better, candidate, best), np.where(better, index + move, origin)
    top = int(np.argmax(score))
    jump = score[top] - np.float32(TRACK_JUMP_COST)
    better = jump > best
    best, origin = np.where(better, jump, best), np.where(better, top, origin)
    new = (best + correlation) - lag_cost()
    return new - new.max(), origin.astype(np.uint8)


def trace_back(score: Float32, origins: list[NDArray[np.uint8]]) -> int:
    """Lag of an earlier frame on the contour that is best now.

    score    (LAGS,) float32 of the newest frame
    origins  one (LAGS,) array per frame to go back, newest first
    returns  lag in decimated samples
    """
    i = int(np.argmax(score))
    for origin in origins:
        i = int(origin[i])
    return LAG_MAX - i


def refine(x: Float32, lag: int) -> tuple[int, np.float32]:
    """Best period at the full rate near a decimated lag.

    x        (HISTORY + WINDOW,) float32: the output frame after its past (at least PERIOD_MAX samples of it)
    lag      LAG_MIN..LAG_MAX
    returns  (period in samples, PERIOD_MIN..PERIOD_MAX; normalised correlation in 0..1)
    source   C twin: sordino_refine in wasm/pitch.c
    """
    lowest = min(max(DECIMATION * lag - REFINE // 2, PERIOD_MIN), PERIOD_MAX - REFINE + 1)
    longest = lowest + REFINE - 1
    start = x.shape[0] - WINDOW
    frame = x[start:]
    lagged = sliding_window_view(x, REFINE)[start - longest : start - longest + WINDOW]
    cross = ordered_sum(frame[:, None] * lagged, axis=0)
    energy = ordered_sum(lagged * lagged, axis=0)
    root = np.sqrt(lane_sum(frame * frame) * energy + np.float32(CORRELATION_FLOOR))
    correlation = np.minimum(np.maximum(cross / root, np.float32(0)), np.float32(1))
    i = int(np.argmax(correlation))
    return longest - i, correlation[i]
