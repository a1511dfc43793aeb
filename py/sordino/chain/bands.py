"""Stage bands: sums over 34 overlapping triangular ERB bands, and the way back from bands to bins."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from .numerics import LANES, Float32, lane_sum, log2
from .params import (
    BAND_MIN_BINS,
    BAND_TOP_HZ,
    BANDS,
    BINS,
    ENERGY_FLOOR,
    ERB_CORNER_HZ,
    ERB_SCALE,
    SAMPLE_RATE,
    WINDOW,
)

PADDED_BINS = -(-BINS // LANES) * LANES


@cache
def centres() -> NDArray[np.int64]:
    """Bin at the tip of each triangle, (BANDS,): even steps on the ERB scale, at least BAND_MIN_BINS apart."""
    top_erb = ERB_SCALE * np.log(1 + BAND_TOP_HZ / ERB_CORNER_HZ)
    erb = np.arange(BANDS) * top_erb / (BANDS - 1)
    hz = ERB_CORNER_HZ * np.expm1(erb / ERB_SCALE)
    bins = np.floor(hz * WINDOW / SAMPLE_RATE + 0.5).astype(np.int64)
    return np.maximum(bins, BAND_MIN_BINS * np.arange(BANDS))


@cache
def weights() -> Float32:
    """Triangles as a matrix (BANDS, BINS); every column sums to 1; above the last centre all belongs to it."""
    tips = centres().astype(np.float64)
    return np.stack([np.interp(np.arange(BINS), tips, row) for row in np.eye(BANDS)]).astype(np.float32)


@cache
def spans() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First bin and number of bins (a multiple of 4) over which each band is summed, (BANDS,) each."""
    first = np.array([np.flatnonzero(row)[0] for row in weights()])
    last = np.array([np.flatnonzero(row)[-1] for row in weights()])
    return first, -(-(last - first + 1) // LANES) * LANES


@cache
def _gather() -> tuple[NDArray[np.int64], Float32]:
    first, count = spans()
    index = first[:, None] + np.arange(count.max())
    padded = np.zeros((BANDS, index.max() + 1), np.float32)
    padded[:, :BINS] = weights()
    return index, np.take_along_axis(padded, index, axis=1)


def band_sum(x: Float32) -> Float32:
    """Sum a quantity given per bin into the bands.

    x        (BINS,) float32
    returns  (BANDS,) float32
    source   Valin et al. 2020, arXiv:2008.04259; C twin: sordino_band_sum in wasm/bands.c
    """
    index, weight = _gather()
    padded = np.zeros(index.max() + 1, np.float32)
    padded[: x.shape[0]] = x
    return lane_sum(weight * padded[index])


def band_energy(re: Float32, im: Float32) -> Float32:
    """Power per band of a spectrum (BINS,): (BANDS,) float32, >= 0. Take the root before forming a gain."""
    return band_sum(re * re + im * im)


def band_cross(a_re: Float32, a_im: Float32, b_re: Float32, b_im: Float32) -> Float32:
    """Real part of the cross spectrum conj(A) B summed into bands, (BANDS,) float32."""
    return band_sum(a_re * b_re + a_im * b_im)


def log_energy(energy: Float32) -> Float32:
    """log2 of band energies with a floor at -100 dB, same shape."""
    return log2(energy + np.float32(ENERGY_FLOOR))


@cache
def _interpolation() -> tuple[NDArray[np.int64], NDArray[np.int64], Float32, Float32]:
    lower = np.clip(np.searchsorted(centres(), np.arange(BINS), side="right") - 1, 0, BANDS - 2)
    upper = lower + 1
    columns = np.arange(BINS)
    return lower, upper, weights()[lower, columns], weights()[upper, columns]


def to_bins(x: Float32) -> Float32:
    """Interpolate a value per band to the bins along the triangles.

    x        (BANDS,) float32
    returns  (BINS,) float32
    """
    lower, upper, lower_weight, upper_weight = _interpolation()
    return lower_weight * x[lower] + upper_weight * x[upper]
