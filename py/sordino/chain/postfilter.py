"""Stage postfilter: sharpen the band gains where there is noise (envelope post-filter), give its energy back."""

from __future__ import annotations

import numpy as np

from .numerics import Float32, padded_sum, sine_quarter
from .params import POSTFILTER_BETA, POSTFILTER_FLOOR, POSTFILTER_MEMORY, POSTFILTER_SHARE


def noise_share(memory: Float32, gain: Float32, energy: Float32) -> tuple[Float32, np.float32]:
    """Measure how much of the last half second the gains take for noise.

    memory   (2,) float32 sums of what was taken away and of all energy, zeros at first
    gain     (BANDS,) float32 amplitude gains in 0..1
    energy   (BANDS,) float32 power of the noisy output frame
    returns  the new memory, and the strength that the post-filter needs: 0 without noise, 1 from a third of noise on
    source   C twin: sordino_noise_share in wasm/postfilter.c
    """
    one, keep = np.float32(1), np.float32(POSTFILTER_MEMORY)
    new = np.array([padded_sum(energy * (one - gain * gain)), padded_sum(energy)], np.float32)
    memory = keep * memory + (new + np.float32(POSTFILTER_FLOOR))
    return memory, np.minimum(one, np.float32(POSTFILTER_SHARE) * (memory[0] / memory[1]))


def postfilter(gain: Float32, energy: Float32, strength: np.float32) -> Float32:
    """Weaken weak gains, then scale all bands by one factor of at most +5.6 dB.

    gain      (BANDS,) float32 amplitude gains in 0..1
    energy    (BANDS,) float32 power of the noisy output frame
    strength  0 leaves the gains as they are, 1 is the article's filter
    returns   (BANDS,) float32, at most 1.9
    source    Valin et al. 2020, arXiv:2008.04259; C twin: sordino_postfilter in wasm/postfilter.c
    """
    one, beta = np.float32(1), np.float32(POSTFILTER_BETA)
    warped = gain * ((one - strength) + strength * sine_quarter(gain))
    before = padded_sum(energy * (gain * gain)) + np.float32(POSTFILTER_FLOOR)
    after = padded_sum(energy * (warped * warped)) + np.float32(POSTFILTER_FLOOR)
    ratio = before / after
    correction = np.sqrt(((one + beta) * ratio) / (one + beta * (ratio * ratio)))
    return warped * correction
