"""The transform of stages stft and synthesis: real samples <-> half spectrum, by our own mixed radix.

It is written out because its order of operations is part of the contract with the kernels (wasm/fft.c); numpy.fft
checks it in the tests.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from .numerics import Float32
from .params import BINS, FFT_RADICES, WINDOW

HALF = WINDOW // 2
Split = tuple[Float32, Float32]
"""Real and imaginary part, float32, of the same shape."""


def _unit_circle(turns: NDArray[np.float64]) -> Split:
    angle = -2 * np.pi * turns
    return np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)


@cache
def pass_twiddles() -> tuple[Split, ...]:
    """Per pass, e^(-2 pi i p j / n) as (radix, n / radix) arrays; row 0 is 1 and is not multiplied."""
    tables, n = [], HALF
    for radix in FFT_RADICES:
        m = n // radix
        tables.append(_unit_circle(np.outer(np.arange(radix), np.arange(m)) / n))
        n = m
    return tuple(tables)


@cache
def real_twiddles() -> Split:
    """e^(-2 pi i k / WINDOW) for k = 0..HALF/2, which turns the packed transform into that of real input."""
    return _unit_circle(np.arange(HALF // 2 + 1) / WINDOW)


def _multiply(a: Split, b: Split) -> Split:
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _add(a: Split, b: Split) -> Split:
    return a[0] + b[0], a[1] + b[1]


def _subtract(a: Split, b: Split) -> Split:
    return a[0] - b[0], a[1] - b[1]


def _turn(a: Split) -> Split:
    """Multiply by -i."""
    return a[1], -a[0]


def _scale(a: Split, factor: np.float32) -> Split:
    return a[0] * factor, a[1] * factor


def _butterfly_2(a: list[Split]) -> list[Split]:
    return [_add(a[0], a[1]), _subtract(a[0], a[1])]


def _butterfly_3(a: list[Split]) -> list[Split]:
    s, d = _add(a[1], a[2]), _subtract(a[1], a[2])
    middle = _subtract(a[0], _scale(s, np.float32(0.5)))
    side = _scale(_turn(d), np.float32(np.sqrt(0.75)))
    return [_add(a[0], s), _add(middle, side), _subtract(middle, side)]


def _butterfly_4(a: list[Split]) -> list[Split]:
    s, d = _add(a[0], a[2]), _subtract(a[0], a[2])
    t, u = _add(a[1], a[3]), _turn(_subtract(a[1], a[3]))
    return [_add(s, t), _add(d, u), _subtract(s, t), _subtract(d, u)]


def _butterfly_5(a: list[Split]) -> list[Split]:
    c1, c2 = (np.float32(np.cos(2 * np.pi * k / 5)) for k in (1, 2))
    s1, s2 = (np.float32(np.sin(2 * np.pi * k / 5)) for k in (1, 2))
    p, m = _add(a[1], a[4]), _turn(_subtract(a[1], a[4]))
    q, n = _add(a[2], a[3]), _turn(_subtract(a[2], a[3]))
    near = _add(_add(a[0], _scale(p, c1)), _scale(q, c2))
    far = _add(_add(a[0], _scale(p, c2)), _scale(q, c1))
    near_side = _add(_scale(m, s1), _scale(n, s2))
    far_side = _subtract(_scale(m, s2), _scale(n, s1))
    return [
        _add(_add(a[0], p), q),
        _add(near, near_side),
        _add(far, far_side),
        _subtract(far, far_side),
        _subtract(near, near_side),
    ]


_BUTTERFLIES = {2: _butterfly_2, 3: _butterfly_3, 4: _butterfly_4, 5: _butterfly_5}


def complex_transform(re: Float32, im: Float32) -> Split:
    """Forward discrete Fourier transform of HALF complex points (Stockham passes, decimation in frequency).

    re, im   (HALF,) float32
    returns  (re, im), unscaled, in natural order; swap re and im on both sides for the inverse
    """
    m, stride = HALF, 1
    for radix, twiddle in zip(FFT_RADICES, pass_twiddles(), strict=True):
        m //= radix
        rows_re, rows_im = re.reshape(radix, m, stride), im.reshape(radix, m, stride)
        out = _BUTTERFLIES[radix]([(rows_re[k], rows_im[k]) for k in range(radix)])
        if m > 1:
            for k in range(1, radix):
                out[k] = _multiply(out[k], (twiddle[0][k][:, None], twiddle[1][k][:, None]))
        re = np.stack([x[0] for x in out], axis=1).ravel()
        im = np.stack([x[1] for x in out], axis=1).ravel()
        stride *= radix
    return re, im


def real_transform(x: Float32) -> Split:
    """Half spectrum of real samples.

    x        (WINDOW,) float32
    returns  (re, im), (BINS,) each, unscaled
    """
    a_re, a_im = complex_transform(x[0::2], x[1::2])
    k = np.arange(1, HALF // 2 + 1)
    a, b, c, d = a_re[k], a_im[k], a_re[HALF - k], a_im[HALF - k]
    half = np.float32(0.5)
    even = ((a + c) * half, (b - d) * half)
    odd = ((b + d) * half, (c - a) * half)
    w_re, w_im = real_twiddles()
    turned = _multiply(odd, (w_re[k], w_im[k]))
    re, im = np.zeros(BINS, np.float32), np.zeros(BINS, np.float32)
    re[0], re[HALF] = a_re[0] + a_im[0], a_re[0] - a_im[0]
    re[HALF - k], im[HALF - k] = even[0] - turned[0], turned[1] - even[1]
    re[k], im[k] = even[0] + turned[0], even[1] + turned[1]
    return re, im


def inverse_real_transform(re: Float32, im: Float32) -> Float32:
    """Real samples of a half spectrum, scaled so that it undoes real_transform(x) / HALF.

    re, im   (BINS,) float32; the imaginary parts of the first and last bin are ignored
    returns  (WINDOW,) float32
    """
    k = np.arange(1, HALF // 2 + 1)
    a, b, c, d = re[k], im[k], re[HALF - k], im[HALF - k]
    half = np.float32(0.5)
    even = ((a + c) * half, (b - d) * half)
    difference = ((a - c) * half, (b + d) * half)
    w_re, w_im = real_twiddles()
    odd = _multiply(difference, (w_re[k], -w_im[k]))
    z_re, z_im = np.zeros(HALF, np.float32), np.zeros(HALF, np.float32)
    z_re[0], z_im[0] = (re[0] + re[HALF]) * half, (re[0] - re[HALF]) * half
    z_re[HALF - k], z_im[HALF - k] = even[0] + odd[1], odd[0] - even[1]
    z_re[k], z_im[k] = even[0] - odd[1], even[1] + odd[0]
    y_im, y_re = complex_transform(z_im, z_re)
    x = np.empty(WINDOW, np.float32)
    x[0::2], x[1::2] = y_re, y_im
    return x
