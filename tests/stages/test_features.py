"""Stage features: coherence and normalisation in their ranges, order of the features, parity."""

import numpy as np

from kernels import Inputs, every_build, kernels, padded, same_bytes
from sordino.chain import features
from sordino.chain.bands import band_cross, band_energy
from sordino.chain.params import BANDS, BINS, FEATURES
from sordino.formats.generate import PADDED_BANDS
from sordino.formats.weight_file import PADDED_FEATURES


def test_coherence_of_equal_opposite_and_silent_spectra():
    rng = np.random.default_rng(0)
    re, im = rng.standard_normal((2, BINS)).astype(np.float32)
    energy = band_energy(re, im)
    assert np.allclose(features.coherence(energy, energy, band_cross(re, im, re, im)), 1, atol=1e-5)
    assert np.allclose(features.coherence(energy, energy, band_cross(re, im, -re, -im)), -1, atol=1e-5)
    silent = np.zeros(BANDS, np.float32)
    assert (features.coherence(silent, silent, silent) == 0).all()


def test_order_and_values():
    energy = np.full(BANDS, 0.25, np.float32)
    f = features.collect(energy, np.linspace(-1, 1, BANDS, dtype=np.float32), 512, np.float32(0.5))
    assert f.shape == (FEATURES,)
    assert np.allclose(f[:BANDS], -2)
    assert f[BANDS] == -1
    assert f[2 * BANDS] == 1
    assert f[2 * BANDS + 1] == 0.5


def test_normalisation_is_clipped():
    offset, factor = features.normaliser(np.full(FEATURES, 3, np.float32), np.full(FEATURES, 2, np.float32))
    assert (features.normalise(np.full(FEATURES, 1e9, np.float32), offset, factor) == 1).all()
    assert np.allclose(features.normalise(np.full(FEATURES, 5, np.float32), offset, factor), 0.25)


@every_build
def test_parity(build):
    run = kernels(build).run
    for (name, a), (_, b) in zip(Inputs(BANDS), Inputs(BANDS), strict=True):
        a, b, out = np.abs(a), np.abs(b[::-1]), np.zeros(PADDED_BANDS, np.float32)
        cross = (b - a) * np.float32(0.7)
        run("coherence", out, padded(a, PADDED_BANDS), padded(b, PADDED_BANDS), padded(cross, PADDED_BANDS))
        wanted = features.coherence(a, b, cross)
        same_bytes(out, padded(wanted, PADDED_BANDS), f"{name}, coherence")
        for period in (96, 97, 256, 799):
            collected = np.full(PADDED_FEATURES, 9, np.float32)
            run("features", collected, padded(a, PADDED_BANDS), out, period, 0.37)
            wanted_features = features.collect(a, wanted, period, np.float32(0.37))
            same_bytes(collected, padded(wanted_features, PADDED_FEATURES), f"{name}, features")
        offset, factor = features.normaliser(np.linspace(-20, 3, FEATURES), np.linspace(0.1, 7, FEATURES))
        scaled = np.zeros(PADDED_FEATURES, np.float32)
        run("normalise", scaled, collected, padded(offset, PADDED_FEATURES), padded(factor, PADDED_FEATURES))
        wanted_scaled = padded(features.normalise(wanted_features, offset, factor), PADDED_FEATURES)
        same_bytes(scaled, wanted_scaled, f"{name}, normalised")
