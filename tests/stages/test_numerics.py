"""Elementary functions: within their stated errors, monotone where it matters, sums in a fixed order."""

import numpy as np
import pytest

from sordino.chain import numerics

GRID = np.linspace(-30, 30, 200_001, dtype=np.float32)


@pytest.mark.parametrize(
    ("name", "exact", "bound"),
    [
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x)), 2e-7),
        ("tanh", np.tanh, 4e-7),
        ("fast_sigmoid", lambda x: 1 / (1 + np.exp(-x)), 3e-5),
        ("fast_tanh", np.tanh, 5e-5),
    ],
)
def test_gates_are_within_their_stated_error(name, exact, bound):
    got = getattr(numerics, name)(GRID)
    assert got.dtype == np.float32
    assert np.abs(got - exact(GRID.astype(np.float64))).max() < bound
    assert np.all(np.diff(got) > -bound)


def test_exp2_relative_error():
    x = np.linspace(-126, 126, 400_001, dtype=np.float32)
    exact = np.exp2(x.astype(np.float64))
    assert np.abs(numerics.exp2(x) / exact - 1).max() < 3e-7
    assert np.allclose(numerics.exp2(np.float32([-1e9, 1e9])), np.exp2(np.float32([-126, 126])), rtol=3e-7)


def test_log2_absolute_error():
    x = np.geomspace(1e-30, 1e30, 400_001).astype(np.float32)
    exact = np.log2(x.astype(np.float64))
    assert np.all(np.abs(numerics.log2(x) - exact) < 1e-6 + np.spacing(np.abs(exact).astype(np.float32)))
    assert np.array_equal(numerics.log2(np.float32([0.25, 1, 1024])), np.float32([-2, 0, 10]))


def test_sine_quarter_error():
    x = np.linspace(0, 1, 100_001, dtype=np.float32)
    assert np.abs(numerics.sine_quarter(x) - np.sin(np.pi / 2 * x.astype(np.float64))).max() < 4e-6


def test_sums_follow_the_stated_order():
    x = np.float32([1e8, 1, -1e8, 1, 1, 1, 1, 1])
    lanes = [np.float32(a + b) for a, b in zip(x[:4], x[4:], strict=True)]
    assert numerics.lane_sum(x) == (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
    assert numerics.ordered_sum(np.float32([1e8, 1, -1e8, 1]), 0) == 1
    assert not np.signbit(numerics.lane_sum(np.float32([-0.0] * 8)))
