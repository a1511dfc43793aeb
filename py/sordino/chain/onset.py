"""Stage onset: where a voice sets in, lift the gains of its first frames, so that words keep their beginnings."""

from __future__ import annotations

import numpy as np

from .numerics import Float32
from .params import ONSET_CLOSED, ONSET_FADE, ONSET_MEMORY, ONSET_OPEN, ONSET_RISE, ONSET_SLOPE


def onset(memory: Float32, voice: np.float32) -> tuple[Float32, np.float32]:
    """Measure how suddenly the voice has come.

    memory   (2,) float32 recent mean of the voice probability and last lift, zeros at first
    voice    probability of a voice in the output frame, 0..1
    returns  the new memory, and the lift: up to 1 where a word begins, 0 again some 70 ms later
    source   C twin: sordino_onset in wasm/onset.c
    """
    zero, one = np.float32(0), np.float32(1)
    rise = voice - memory[0]
    sudden = np.minimum(one, np.float32(ONSET_SLOPE) * (rise - np.float32(ONSET_RISE)))
    faded = np.maximum(zero, memory[1] - np.float32(ONSET_FADE))
    lift = np.maximum(sudden, faded)
    return np.array([memory[0] + (one - np.float32(ONSET_MEMORY)) * rise, lift], np.float32), lift


def lift_gains(gain: Float32, lift: np.float32) -> Float32:
    """Raise gains where a word begins: by 6 dB at most, none above 1, those of bands that hold only noise not at all.

    gain     (BANDS,) float32 amplitude gains in 0..1
    lift     0 leaves the gains as they are, 1 raises them in full
    returns  (BANDS,) float32 in 0..1
    source   C twin: sordino_lift_gains in wasm/onset.c
    """
    zero, one, closed = np.float32(0), np.float32(1), np.float32(ONSET_CLOSED)
    opening = np.minimum(np.maximum((gain - closed) / (np.float32(ONSET_OPEN) - closed), zero), one)
    return np.minimum(one, gain * (one + lift * opening))
