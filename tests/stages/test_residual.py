"""Stage residual: noise stays where the voice is far above it, and only there; every build gives its bits."""

import numpy as np

from kernels import Inputs, every_build, kernels, padded, same_bytes
from sordino.chain.params import BANDS, RESIDUAL_BELOW, RESIDUAL_GAIN_MAX
from sordino.chain.residual import leave_residual, residual_gain
from sordino.formats.generate import PADDED_BANDS

OPENED, CLOSED = np.ones(BANDS, np.float32), np.zeros(BANDS, np.float32)


def last(frames, memory=None):
    """The residual gain after frames of (gain, power of each band), and the memory."""
    memory = np.zeros(2, np.float32) if memory is None else memory
    for gain, power in frames:
        memory, residual = residual_gain(memory, gain, np.full(BANDS, power, np.float32))
    return float(residual), memory


def test_noise_alone_leaves_nothing():
    assert last([(CLOSED, 1e-3)] * 300)[0] < 1e-4


def test_noise_ends_up_the_stated_ratio_below_the_voice():
    for noise_power in (0.3, 0.03):
        residual, memory = last([(CLOSED, noise_power)] * 1000)
        residual, _ = last([(OPENED, 1.0)] + [(CLOSED, noise_power)] * 5, memory)
        left = residual**2 * noise_power
        assert abs(10 * np.log10(left / RESIDUAL_BELOW)) < 0.2


def test_the_residual_gain_has_a_ceiling():
    assert last([(OPENED, 1.0)] * 50)[0] == np.float32(RESIDUAL_GAIN_MAX)


def test_a_voice_is_forgotten_by_a_decibel_per_second():
    _, memory = last([(CLOSED, 1e-2)] * 500 + [(OPENED, 1.0)])
    after = [last([(CLOSED, 1e-2)] * hops, memory)[0] for hops in (300, 400)]
    assert 0.8 < 20 * np.log10(after[0] / after[1]) < 0.95


def test_silence_is_harmless():
    residual, memory = last([(CLOSED, 0.0)] * 20000)
    assert np.isfinite(residual) and (memory > np.finfo(np.float32).tiny).all()


def test_only_lower_gains_are_raised():
    gain = np.linspace(0, 1, BANDS, dtype=np.float32)
    raised = leave_residual(gain, np.float32(0.25))
    assert np.array_equal(raised, np.where(gain < 0.25, np.float32(0.25), gain))


@every_build
def test_parity(build):
    run = kernels(build).run
    rng = np.random.default_rng(5)
    for name, x in Inputs(BANDS):
        gain, energy = rng.random(BANDS).astype(np.float32), x * x
        memory = rng.random(2).astype(np.float32)
        wanted, residual = residual_gain(memory, gain, energy)
        got = run("residual_gain", memory, padded(gain, PADDED_BANDS), padded(energy, PADDED_BANDS))
        same_bytes(memory, wanted, f"{name}, memory")
        assert np.float32(got) == residual, name
        out = padded(gain, PADDED_BANDS)
        run("leave_residual", out, float(residual))
        same_bytes(out[:BANDS], leave_residual(gain, residual), name)
