"""Stage postfilter: what it may do, how it follows the noise, and every build gives its bits."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kernels import Inputs, every_build, kernels, padded, same_bytes
from sordino.chain.params import BANDS
from sordino.chain.postfilter import noise_share, postfilter
from sordino.formats.generate import PADDED_BANDS

FULL = np.float32(1)


def test_postfilter_leaves_open_and_closed_bands():
    energy = np.ones(BANDS, np.float32)
    for strength in (np.float32(0), np.float32(0.5), FULL):
        assert np.allclose(postfilter(np.ones(BANDS, np.float32), energy, strength), 1, atol=1e-5)
        assert (postfilter(np.zeros(BANDS, np.float32), energy, strength) == 0).all()


def test_without_noise_the_postfilter_does_nothing():
    gain, energy = np.random.default_rng(0).random((2, BANDS)).astype(np.float32)
    assert np.allclose(postfilter(gain, energy, np.float32(0)), gain, rtol=1e-5)
    assert postfilter(gain, energy, FULL).min() < 0.5 * gain.min()


def test_the_noise_share_follows_the_gains_within_half_a_second():
    energy = np.ones(BANDS, np.float32)
    closed, half, opened = (np.full(BANDS, gain, np.float32) for gain in (0.1, 0.9, 1.0))
    memory, found = np.zeros(2, np.float32), []
    for gain in [closed] * 10 + [opened] * 200 + [half] * 400 + [closed] * 50:
        memory, strength = noise_share(memory, gain, energy)
        found.append(float(strength))
    assert found[0] == found[9] == 1, "nothing but noise"
    assert 0.25 < found[10 + 50] < 0.45 and found[209] < 0.02, "the voice alone"
    assert abs(found[609] - 3 * (1 - 0.81)) < 0.01, "a fifth of it noise"
    assert found[-1] == 1


def test_silence_is_no_voice():
    memory, strength = noise_share(np.zeros(2, np.float32), np.zeros(BANDS, np.float32), np.zeros(BANDS, np.float32))
    assert strength == 1
    for _ in range(20000):
        memory, strength = noise_share(memory, np.zeros(BANDS, np.float32), np.zeros(BANDS, np.float32))
    assert np.isfinite(memory).all() and (memory > np.finfo(np.float32).tiny).all() and strength == 1


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_postfilter_raises_no_band_above_its_limit_and_keeps_the_order(seed):
    rng = np.random.default_rng(seed)
    gain = rng.random(BANDS).astype(np.float32) ** 3
    energy = (10 ** rng.uniform(-12, 0, BANDS)).astype(np.float32)
    sharp = postfilter(gain, energy, np.float32(rng.random()))
    assert (sharp <= gain * 1.9).all()
    order = np.argsort(gain)
    assert np.all(np.diff(sharp[order]) >= -1e-7)


@every_build
def test_parity(build):
    run = kernels(build).run
    rng = np.random.default_rng(5)
    for name, x in Inputs(BANDS):
        gain, energy = rng.random(BANDS).astype(np.float32), x * x
        out, memory = np.zeros(PADDED_BANDS, np.float32), rng.random(2).astype(np.float32)
        wide = [padded(gain, PADDED_BANDS), padded(energy, PADDED_BANDS)]
        wanted, sharpening = noise_share(memory, gain, energy)
        got = run("noise_share", memory, *wide)
        same_bytes(memory, wanted, f"{name}, memory of the noise share")
        assert np.float32(got) == sharpening, f"{name}, noise share"
        run("postfilter", out, *wide, float(sharpening))
        same_bytes(out[:BANDS], postfilter(gain, energy, sharpening), name)
