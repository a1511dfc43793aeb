"""Stage stft: a windowed frame of samples to its half spectrum."""

from __future__ import annotations

from functools import cache

import numpy as np

from .fft import HALF, Split, real_transform
from .numerics import Float32
from .params import WINDOW


@cache
def window() -> Float32:
    """The power-complementary window sin(pi/2 sin^2(pi (n + 1/2) / WINDOW)), (WINDOW,)."""
    n = np.arange(WINDOW)
    return np.sin(np.pi / 2 * np.sin(np.pi * (n + 0.5) / WINDOW) ** 2).astype(np.float32)


@cache
def analysis_window() -> Float32:
    """window() / HALF, (WINDOW,): puts the scale of the transform pair on the analysis side."""
    return (window().astype(np.float64) / HALF).astype(np.float32)


def analyse(x: Float32) -> Split:
    """Spectrum of one frame.

    x        (WINDOW,) float32 samples, full scale 1
    returns  (re, im), (BINS,) each; a full-scale sine reaches about 0.6
    source   Valin et al. 2020, arXiv:2008.04259; C twin: sordino_analyse in wasm/stft.c
    """
    return real_transform(x * analysis_window())
