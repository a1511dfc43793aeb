"""Stage comb: passes harmonics, lowers noise by the stated share, reads no future that is not there."""

import numpy as np
import pytest

from kernels import Inputs, every_build, kernels, same_bytes
from sordino.chain import comb
from sordino.chain.params import COMB_REACH, HISTORY, HOP, MAX_LOOK_AHEAD, PERIOD_MAX, PERIOD_MIN, WINDOW

LONG = HISTORY + WINDOW + HOP * MAX_LOOK_AHEAD


def test_weights_sum_to_one_and_are_causal_without_a_future():
    assert np.allclose(comb.weights().sum(axis=1), 1, atol=1e-6)
    assert (comb.weights()[0][:COMB_REACH] == 0).all()


@pytest.mark.parametrize("look_ahead", [0, 1, 2])
@pytest.mark.parametrize("period", [PERIOD_MIN, 240, 481, PERIOD_MAX])
def test_a_periodic_signal_passes(period, look_ahead):
    x = np.tile(np.random.default_rng(period).standard_normal(period), LONG // period + 1)[:LONG].astype(np.float32)
    assert np.abs(comb.comb(x, HISTORY, period, look_ahead) - x[HISTORY : HISTORY + WINDOW]).max() < 1e-5


@pytest.mark.parametrize("look_ahead", [0, 1, 2])
def test_white_noise_is_lowered_by_sigma2(look_ahead):
    rng = np.random.default_rng(look_ahead)
    noises = (rng.standard_normal(LONG).astype(np.float32) for _ in range(60))
    power = np.mean([np.var(comb.comb(noise, HISTORY, 200, look_ahead)) for noise in noises])
    assert np.isclose(power, comb.sigma2()[comb.future_periods(200, look_ahead)], rtol=0.05)


@pytest.mark.parametrize("look_ahead", [0, 1, 2])
def test_nothing_beyond_the_look_ahead_is_read(look_ahead):
    x = np.random.default_rng(1).standard_normal(LONG).astype(np.float32)
    y = x.copy()
    y[HISTORY + WINDOW + HOP * look_ahead :] = np.nan
    for period in (PERIOD_MIN, 160, 240, 480, PERIOD_MAX):
        assert np.array_equal(comb.comb(x, HISTORY, period, look_ahead), comb.comb(y, HISTORY, period, look_ahead))


@every_build
def test_parity(build):
    for look_ahead in range(MAX_LOOK_AHEAD + 1):
        for name, x in Inputs(HISTORY + WINDOW + HOP * look_ahead):
            for period in (PERIOD_MIN, 159, 160, 161, 480, 481, PERIOD_MAX):
                out = np.zeros(WINDOW, np.float32)
                kernels(build).run("comb", out, x.copy(), period, look_ahead)
                same_bytes(out, comb.comb(x, HISTORY, period, look_ahead), f"{name}, {period}, {look_ahead}")
