"""Stage bands: a partition of unity on the ERB scale; sums, interpolation and their parity."""

import numpy as np

from kernels import Inputs, every_build, kernels, padded, same_bytes
from sordino.chain import bands
from sordino.chain.params import BAND_MIN_BINS, BANDS, BINS
from sordino.formats.generate import PADDED_BANDS


def test_triangles_sum_to_one():
    assert np.allclose(bands.weights().sum(axis=0), 1, atol=1e-6)
    assert (bands.weights() >= 0).all()


def test_centres_are_spaced():
    centres = bands.centres()
    assert centres[0] == 0
    assert centres[-1] == 400
    assert np.diff(centres).min() >= BAND_MIN_BINS
    assert np.all(np.diff(np.diff(centres)) >= -1)


def test_energy_of_all_bands_is_the_energy_of_all_bins():
    rng = np.random.default_rng(1)
    re, im = rng.standard_normal((2, BINS)).astype(np.float32)
    assert np.isclose(bands.band_energy(re, im).sum(), (re**2 + im**2).sum(), rtol=1e-5)


def test_band_sum_is_the_matrix_product():
    for _, x in Inputs(BINS):
        exact = bands.weights().astype(np.float64) @ x
        assert np.allclose(bands.band_sum(x), exact, rtol=1e-4, atol=1e-5 * np.abs(x).max() + 1e-40)


def test_interpolation_is_the_transposed_product_and_keeps_constants():
    assert np.allclose(bands.to_bins(np.full(BANDS, 0.7, np.float32)), 0.7)
    x = np.random.default_rng(2).standard_normal(BANDS).astype(np.float32)
    assert np.allclose(bands.to_bins(x), bands.weights().T @ x, atol=1e-6)


@every_build
def test_parity(build):
    run = kernels(build).run
    for name, x in Inputs(BINS):
        wide, out = padded(x, bands.PADDED_BINS), np.full(PADDED_BANDS, 9, np.float32)
        run("band_sum", out, wide)
        same_bytes(out, padded(bands.band_sum(x), PADDED_BANDS), f"{name}, sum")
        other = padded(x[::-1], bands.PADDED_BINS)
        run("band_energy", out, wide, other)
        same_bytes(out, padded(bands.band_energy(x, other[:BINS]), PADDED_BANDS), f"{name}, energy")
        run("band_cross", out, wide, other, other, other)
        wanted = bands.band_cross(x, other[:BINS], other[:BINS], other[:BINS])
        same_bytes(out, padded(wanted, PADDED_BANDS), f"{name}, cross")
    for name, x in Inputs(BANDS):
        out = np.full(bands.PADDED_BINS, 9, np.float32)
        run("to_bins", out, padded(x, PADDED_BANDS))
        same_bytes(out, padded(bands.to_bins(x), bands.PADDED_BINS), f"{name}, bins")
