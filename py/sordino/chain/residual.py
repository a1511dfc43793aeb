"""Stage residual: leave noise where it is faint beside the voice, so that gains there need not be deep, nor wrong."""

from __future__ import annotations

import numpy as np

from .numerics import Float32, padded_sum
from .params import (
    RESIDUAL_BELOW,
    RESIDUAL_FLOOR,
    RESIDUAL_GAIN_MAX,
    RESIDUAL_NOISE_MEMORY,
    RESIDUAL_VOICE_FALL,
)


def residual_gain(memory: Float32, gain: Float32, energy: Float32) -> tuple[Float32, np.float32]:
    """Find the gain that brings the noise RESIDUAL_BELOW under the peaks of the voice.

    memory   (2,) float32 recent peak power of the voice and mean power of the noise, zeros at first
    gain     (BANDS,) float32 amplitude gains in 0..1, as the network gives them
    energy   (BANDS,) float32 power of the noisy output frame
    returns  the new memory, and the gain, at most RESIDUAL_GAIN_MAX: next to 0 until a voice was heard
    source   C twin: sordino_residual_gain in wasm/residual.c
    """
    one, keep, floor = np.float32(1), np.float32(RESIDUAL_NOISE_MEMORY), np.float32(RESIDUAL_FLOOR)
    kept = gain * gain
    voice = np.maximum(padded_sum(energy * kept) + floor, np.float32(RESIDUAL_VOICE_FALL) * memory[0])
    noise = keep * memory[1] + (one - keep) * (padded_sum(energy * (one - kept)) + floor)
    memory = np.array([voice, noise], np.float32)
    return memory, np.minimum(np.float32(RESIDUAL_GAIN_MAX), np.sqrt(np.float32(RESIDUAL_BELOW) * voice / noise))


def leave_residual(gain: Float32, residual: np.float32) -> Float32:
    """Raise gains below the residual one to it, (BANDS,) float32. C twin: sordino_leave_residual in wasm/residual.c."""
    return np.maximum(gain, residual)
