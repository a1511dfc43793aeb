"""Stage synthesis: a half spectrum to one hop of samples by inverse transform, window and overlap-add."""

from __future__ import annotations

from .fft import inverse_real_transform
from .numerics import Float32
from .params import HOP
from .stft import window


def synthesise(re: Float32, im: Float32, overlap: Float32) -> tuple[Float32, Float32]:
    """Samples of one hop by inverse transform, window and overlap-add.

    re, im   (BINS,) float32 spectrum of the frame
    overlap  (HOP,) float32, second half of the frame before
    returns  (samples, overlap), (HOP,) each: the finished hop and the half to keep
    source   Valin et al. 2020, arXiv:2008.04259; C twin: sordino_synthesise in wasm/synthesis.c
    """
    y = inverse_real_transform(re, im) * window()
    return overlap + y[:HOP], y[HOP:]
