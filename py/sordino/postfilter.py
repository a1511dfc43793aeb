"""Stage postfilter: sharpen the band gains (envelope post-filter) and give back the energy this takes."""

from __future__ import annotations

import numpy as np

from .numerics import Float32, lane_sum, sine_quarter
from .params import BANDS, POSTFILTER_BETA, POSTFILTER_FLOOR


def _total(x: Float32) -> Float32:
    padded = np.zeros(-(-BANDS // 4) * 4, np.float32)
    padded[:BANDS] = x
    return lane_sum(padded)


def postfilter(gain: Float32, energy: Float32) -> Float32:
    """Weaken weak gains, then scale all bands by one factor of at most +5.6 dB.

    gain     (BANDS,) float32 amplitude gains in 0..1
    energy   (BANDS,) float32 power of the noisy output frame
    returns  (BANDS,) float32, at most 1.9
    source   Valin et al. 2020, arXiv:2008.04259; C twin: sordino_postfilter in wasm/postfilter.c
    """
    one, beta = np.float32(1), np.float32(POSTFILTER_BETA)
    warped = gain * sine_quarter(gain)
    before = _total(energy * (gain * gain)) + np.float32(POSTFILTER_FLOOR)
    after = _total(energy * (warped * warped)) + np.float32(POSTFILTER_FLOOR)
    ratio = before / after
    correction = np.sqrt(((one + beta) * ratio) / (one + beta * (ratio * ratio)))
    return warped * correction
