"""Stage stft: agrees with numpy.fft, and every build gives its bits."""

import numpy as np

from kernels import Inputs, every_build, kernels, padded, same_bytes
from sordino.chain import fft, stft
from sordino.chain.bands import PADDED_BINS
from sordino.chain.params import HOP, WINDOW


def test_transform_agrees_with_numpy():
    for name, x in Inputs(WINDOW):
        re, im = fft.real_transform(x)
        exact = np.fft.rfft(x.astype(np.float64))
        assert np.abs(re + 1j * im - exact).max() <= 5e-7 * np.abs(exact).max() + 1e-40, name


def test_inverse_undoes_the_transform():
    for name, x in Inputs(WINDOW):
        re, im = fft.real_transform(x)
        back = fft.inverse_real_transform(re / np.float32(fft.HALF), im / np.float32(fft.HALF))
        assert np.abs(back - x).max() <= 1e-6 * np.abs(x).max() + 1e-40, name


def test_window_is_power_complementary():
    w = stft.window().astype(np.float64)
    assert np.allclose(w[:HOP] ** 2 + w[HOP:] ** 2, 1, atol=1e-6)


def test_a_full_scale_sine_keeps_its_bin():
    re, im = stft.analyse(np.sin(2 * np.pi * 1000 * np.arange(WINDOW) / 48000).astype(np.float32))
    assert np.argmax(re**2 + im**2) == 20
    assert 0.5 < np.hypot(re, im)[20] < 0.7


@every_build
def test_analysis_parity(build):
    for name, x in Inputs(WINDOW):
        re, im = np.full(PADDED_BINS, 9, np.float32), np.full(PADDED_BINS, 9, np.float32)
        kernels(build).run("analyse", re, im, x.copy())
        wanted_re, wanted_im = stft.analyse(x)
        same_bytes(re, padded(wanted_re, PADDED_BINS), f"{name}, real")
        same_bytes(im, padded(wanted_im, PADDED_BINS), f"{name}, imaginary")
