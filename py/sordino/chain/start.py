"""Stage start: hold back in the first second of sound, so that the first word is not taken for noise."""

from __future__ import annotations

import numpy as np

from .numerics import Float32
from .params import START_GAIN, START_HOPS


def count_sound(heard: int, energy: Float32) -> int:
    """Count the hops with sound, up to START_HOPS.

    heard    so far, 0 at first
    energy   (BANDS,) float32 power of the output frame
    source   C twin: sordino_count_sound in wasm/start.c
    """
    return min(START_HOPS, heard + 1) if (energy > 0).any() else heard


def hold_back(gain: Float32, heard: int) -> Float32:
    """Raise low gains near the start: to START_GAIN at first, and linearly to 0 within START_HOPS.

    gain     (BANDS,) float32 amplitude gains
    heard    hops with sound, 0..START_HOPS
    returns  (BANDS,) float32
    source   C twin: sordino_hold_back in wasm/start.c
    """
    least = np.float32(START_GAIN) / np.float32(START_HOPS) * np.float32(START_HOPS - heard)
    return np.maximum(gain, least)
