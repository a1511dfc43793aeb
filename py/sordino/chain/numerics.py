"""Elementary float32 arithmetic in the kernels' order of operations, so that both give the same bits.

Every function here rounds to float32 after each operation, never fuses a multiplication with an addition
and adds in a fixed order. C twin: wasm/numerics.h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

LANES = 4
LOG2_E = np.float32(1.4426950408889634)
EXP2_LIMIT = np.float32(126.0)
EXP2_COEFFICIENTS: Float32 = np.array(
    [1.00000007, 0.69314697, 0.2402212, 0.055507133, 0.0096755413, 0.0013276452], np.float32
)
"""Minimax polynomial of 2**f on -0.5..0.5, relative error 8e-8 before rounding."""
LOG2_COEFFICIENTS: Float32 = np.array([2.8853900818, 0.9617966939, 0.5770780164, 0.4121985831], np.float32)
"""2 / (k ln 2) for k = 1, 3, 5, 7: the series of log2((1 + t) / (1 - t))."""
SINE_COEFFICIENTS: Float32 = np.array(
    [1.5707963268, -0.6459640975, 0.0796926262, -0.0046817541, 0.0001604412], np.float32
)
"""Taylor series of sin(pi x / 2) in odd powers of x, error below 4e-6 on 0..1."""
FAST_TANH_LIMIT = np.float32(5)
FAST_TANH_ABOVE: Float32 = np.array([0.99981205, 0.10175257, 6.5578272e-4], np.float32)
FAST_TANH_BELOW: Float32 = np.array([1.0, 0.43453827, 0.012647828], np.float32)
"""Minimax fraction of tanh(x) / x in even powers of x on 0..5, error of tanh 4.6e-5, beyond 5 included."""


def lane_sum(x: Float32) -> Float32:
    """Sum the last axis in four interleaved lanes, then the lanes pairwise.

    x        (..., n) float32, n a multiple of 4
    returns  (...) float32, never -0
    """
    lanes = x.reshape(*x.shape[:-1], -1, LANES)
    total = ordered_sum(lanes, axis=-2)
    return (total[..., 0] + total[..., 1]) + (total[..., 2] + total[..., 3])


def padded_sum(x: Float32) -> Float32:
    """lane_sum of (n,) float32 with zeros up to a multiple of 4."""
    return lane_sum(np.pad(x, (0, -x.shape[0] % LANES)))


def ordered_sum(x: Float32, axis: int) -> Float32:
    """Sum along an axis strictly from first to last, starting at +0.

    x        any shape, float32
    returns  x without that axis, never -0
    """
    total = np.add.accumulate(x, axis=axis, dtype=np.float32)
    return np.take(total, -1, axis=axis) + np.float32(0)


def exp2(x: Float32) -> Float32:
    """2**x, relative error below 3e-7; x is clamped to -126..126.

    x        any shape, float32
    returns  the same shape, never denormal
    """
    x = np.minimum(np.maximum(x, -EXP2_LIMIT), EXP2_LIMIT)
    whole = (x + np.float32(128.5)).astype(np.int32) - np.int32(128)
    f = x - whole.astype(np.float32)
    c = EXP2_COEFFICIENTS
    series = c[0] + f * (c[1] + f * (c[2] + f * (c[3] + f * (c[4] + f * c[5]))))
    power = ((whole + np.int32(127)) << np.int32(23)).view(np.float32)
    return series * power


def log2(x: Float32) -> Float32:
    """Logarithm to base 2 of positive normal numbers, absolute error below 1e-6 + 1 ulp.

    x        any shape, float32, >= 2**-126
    returns  the same shape
    """
    bits = np.ascontiguousarray(x, np.float32).view(np.int32) - np.int32(0x3F3504F3)
    exponent = bits >> np.int32(23)
    mantissa = ((bits & np.int32(0x007FFFFF)) + np.int32(0x3F3504F3)).view(np.float32)
    t = (mantissa - np.float32(1)) / (mantissa + np.float32(1))
    s = t * t
    c = LOG2_COEFFICIENTS
    return exponent.astype(np.float32) + t * (c[0] + s * (c[1] + s * (c[2] + s * c[3])))


def sigmoid(x: Float32) -> Float32:
    """1 / (1 + e**-x), absolute error below 2e-7."""
    return np.float32(1) / (np.float32(1) + exp2(-(x * LOG2_E)))


def tanh(x: Float32) -> Float32:
    """Hyperbolic tangent as 2 sigmoid(2x) - 1, absolute error below 4e-7."""
    return np.float32(2) / (np.float32(1) + exp2(-(x * (np.float32(2) * LOG2_E)))) - np.float32(1)


def fast_tanh(x: Float32) -> Float32:
    """Hyperbolic tangent as a fraction of polynomials, absolute error below 5e-5; half the operations of tanh."""
    x = np.minimum(np.maximum(x, -FAST_TANH_LIMIT), FAST_TANH_LIMIT)
    s, a, b = x * x, FAST_TANH_ABOVE, FAST_TANH_BELOW
    return (x * (a[0] + s * (a[1] + s * a[2]))) / (b[0] + s * (b[1] + s * b[2]))


def fast_sigmoid(x: Float32) -> Float32:
    """Logistic function as (1 + fast_tanh(x / 2)) / 2, absolute error below 3e-5."""
    half = np.float32(0.5)
    return half + half * fast_tanh(half * x)


def sine_quarter(x: Float32) -> Float32:
    """sin(pi x / 2) for x in 0..1, absolute error below 4e-6."""
    s = x * x
    c = SINE_COEFFICIENTS
    return x * (c[0] + s * (c[1] + s * (c[2] + s * (c[3] + s * c[4]))))
