"""Stage features: what the network sees of a step: band energies, coherences, pitch period and correlation."""

from __future__ import annotations

import numpy as np

from .bands import log_energy
from .numerics import Float32, log2
from .params import BANDS, FEATURE_RANGE, FEATURES, MIX_FLOOR, PERIOD_CENTRE


def coherence(energy_a: Float32, energy_b: Float32, cross: Float32) -> Float32:
    """Real coherence per band.

    energy_a, energy_b, cross  (BANDS,) float32 band sums of |A|^2, |B|^2 and Re conj(A) B
    returns                    (BANDS,) float32 in -1..1, 0 where a band is silent
    """
    q = cross / np.sqrt(energy_a * energy_b + np.float32(MIX_FLOOR) * np.float32(MIX_FLOOR))
    return np.minimum(np.maximum(q, np.float32(-1)), np.float32(1))


def collect(newest_energy: Float32, band_coherence: Float32, period: int, correlation: np.float32) -> Float32:
    """Features before normalisation.

    newest_energy   (BANDS,) power of the newest frame, look_ahead frames after the others
    band_coherence  (BANDS,) of the output frame and its comb-filtered copy
    period          pitch period of the output frame in samples
    correlation     0..1
    returns         (FEATURES,) float32
    source          Valin et al. 2020, arXiv:2008.04259; C twin: sordino_features in wasm/features.c
    """
    f = np.empty(FEATURES, np.float32)
    f[:BANDS] = log_energy(newest_energy)
    f[BANDS : 2 * BANDS] = band_coherence
    f[2 * BANDS] = log2(np.array([period], np.float32) * np.float32(1 / PERIOD_CENTRE))[0]
    f[2 * BANDS + 1] = correlation
    return f


def normaliser(mean: Float32, std: Float32) -> tuple[Float32, Float32]:
    """(offset, factor) of normalise for given statistics of the training data, (FEATURES,) each."""
    factor = (1 / (FEATURE_RANGE * np.asarray(std, np.float64))).astype(np.float32)
    return np.asarray(mean, np.float32), factor


def normalise(f: Float32, offset: Float32, factor: Float32) -> Float32:
    """Features scaled so that FEATURE_RANGE standard deviations reach 1, clipped to -1..1, (FEATURES,)."""
    return np.minimum(np.maximum((f - offset) * factor, np.float32(-1)), np.float32(1))
