"""Stage gains: limit the attenuation, mix the comb-filtered spectrum in, keep each band's energy, apply the gains."""

from __future__ import annotations

import numpy as np

from .bands import band_energy, to_bins
from .fft import Split
from .numerics import Float32
from .params import MIX_FLOOR, MIX_GAIN_MAX


def limit_gains(gain: Float32, strength: Float32, floor_gain: float) -> tuple[Float32, Float32]:
    """Keep the gains within the attenuation limit, and hold the comb filter back by as much.

    gain        (BANDS,) float32 amplitude gains
    strength    (BANDS,) float32 share of the comb-filtered spectrum
    floor_gain  0 (no limit) to 1 (all stays as it is)
    returns     gain, within floor_gain and its inverse, and strength, (BANDS,) each
    source      C twin: sordino_limit_gains in wasm/gains.c
    """
    floor = np.float32(floor_gain)
    most = np.float32(1) / floor if floor > 0 else np.finfo(np.float32).max
    return np.minimum(np.maximum(gain, floor), most), strength * (np.float32(1) - floor)


def mix_comb(spectrum: Split, comb_spectrum: Split, strength: Float32) -> Split:
    """Move each bin towards its comb-filtered copy: x + r (p - x).

    spectrum, comb_spectrum  (re, im), (BINS,) each
    strength                 (BANDS,) float32, 0 keeps x, 1 takes p
    returns                  (re, im), (BINS,) each
    source                   Valin et al. 2020, arXiv:2008.04259; C twin: sordino_mix_comb in wasm/gains.c
    """
    r = to_bins(strength)
    (x_re, x_im), (p_re, p_im) = spectrum, comb_spectrum
    return x_re + r * (p_re - x_re), x_im + r * (p_im - x_im)


def apply_gains(mixed: Split, energy: Float32, gain: Float32) -> Split:
    """Scale the mixed spectrum by the gains and by what restores each band's energy before the mix.

    mixed    (re, im), (BINS,) each, from mix_comb
    energy   (BANDS,) float32 power before the mix
    gain     (BANDS,) float32 amplitude gains
    returns  (re, im), (BINS,) each
    source   C twin: sordino_apply_gains in wasm/gains.c
    """
    floor = np.float32(MIX_FLOOR)
    restore = np.sqrt((energy + floor) / (band_energy(*mixed) + floor))
    restore = np.minimum(restore, np.float32(MIX_GAIN_MAX))
    g = to_bins(gain * restore)
    return mixed[0] * g, mixed[1] * g
