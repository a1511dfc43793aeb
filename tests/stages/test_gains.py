"""Stage gains: what the limit holds, what mixing keeps, and every build gives its bits."""

import numpy as np

from kernels import Inputs, every_build, kernels, padded, same_bytes
from sordino.chain import bands, gains
from sordino.chain.params import BANDS, BINS
from sordino.formats.generate import PADDED_BANDS


def spectrum(seed):
    return tuple(np.random.default_rng(seed).standard_normal((2, BINS)).astype(np.float32))


def test_mixing_moves_from_the_spectrum_to_the_comb():
    x, p = spectrum(1), spectrum(2)
    for strength, wanted in ((0, x), (1, p)):
        mixed = gains.mix_comb(x, p, np.full(BANDS, strength, np.float32))
        assert np.allclose(mixed[0], wanted[0], atol=1e-6)
        assert np.allclose(mixed[1], wanted[1], atol=1e-6)


def test_the_mix_keeps_the_energy_of_each_band():
    x, p = spectrum(3), tuple(0.6 * part for part in spectrum(3))
    energy = bands.band_energy(*x)
    mixed = gains.mix_comb(x, p, np.full(BANDS, 0.8, np.float32))
    out = gains.apply_gains(mixed, energy, np.ones(BANDS, np.float32))
    assert np.allclose(bands.band_energy(*out), energy, rtol=1e-3)


@every_build
def test_parity(build):
    run = kernels(build).run
    rng = np.random.default_rng(5)
    for (name, re), (_, im) in zip(Inputs(BINS), Inputs(BINS), strict=True):
        x, p = (re, im[::-1].copy()), (im, re[::-1].copy())
        gain, strength = rng.random((2, BANDS)).astype(np.float32)
        energy = bands.band_energy(*x)
        wide = [padded(part, bands.PADDED_BINS) for part in (*x, *p)]
        run("mix_comb", *wide, padded(strength, PADDED_BANDS))
        mixed = gains.mix_comb(x, p, strength)
        same_bytes(wide[0][:BINS], mixed[0], f"{name}, mix")
        same_bytes(wide[1][:BINS], mixed[1], f"{name}, mix")
        run("apply_gains", wide[0], wide[1], padded(energy, PADDED_BANDS), padded(gain, PADDED_BANDS))
        wanted = gains.apply_gains(mixed, energy, gain)
        same_bytes(wide[0][:BINS], wanted[0], f"{name}, gains")
        same_bytes(wide[1][:BINS], wanted[1], f"{name}, gains")


def test_the_limit_holds_gains_and_strengths():
    gain, strength = np.linspace(0, 3, BANDS, dtype=np.float32), np.ones(BANDS, np.float32)
    assert (gains.limit_gains(gain, strength, 0.0)[0] == gain).all()
    limited, held = gains.limit_gains(gain, strength, 0.5)
    assert limited.min() == 0.5 and limited.max() == 2 and (held == 0.5).all()
    untouched, none = gains.limit_gains(gain, strength, 1.0)
    assert (untouched == 1).all() and (none == 0).all()


@every_build
def test_limit_parity(build):
    for floor_gain in (0.0, 0.1, 0.25, 1.0):
        gain, strength = np.random.default_rng(6).random((2, BANDS)).astype(np.float32) * np.float32(2)
        wide = [padded(gain, PADDED_BANDS), padded(strength, PADDED_BANDS)]
        kernels(build).run("limit_gains", *wide, floor_gain)
        for got, wanted in zip(wide, gains.limit_gains(gain, strength, floor_gain), strict=True):
            same_bytes(got[:BANDS], wanted, f"floor {floor_gain}")
