"""Samples: what a caller hands in goes to float32 channels of full scale 1, and back to the caller's type."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sordino.chain.numerics import Float32

Samples = TypeVar("Samples", np.float32, np.float64, np.int16)
"""What samples may be: float32 or float64 of full scale 1, or int16."""

MAX_CHANNELS = 64
INT16_SCALE = 32_768
DTYPES = (np.dtype(np.float32), np.dtype(np.float64), np.dtype(np.int16))


def channels_of(samples: Any) -> int:
    """Channels of a recording. raises TypeError, ValueError"""
    if not isinstance(samples, np.ndarray):
        raise TypeError(f"samples are {type(samples).__name__}, wanted a NumPy array")
    channels = samples.shape[0] if samples.ndim == 2 else 1
    if samples.ndim == 2 and not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f"samples of shape {samples.shape} have {channels} channels, wanted (channels, n) with 1..64")
    return int(channels)


def frames_of(samples: Any, channels: int) -> Float32:
    """(channels, n) float32 of full scale 1."""
    if not isinstance(samples, np.ndarray):
        raise TypeError(f"samples are {type(samples).__name__}, wanted a NumPy array")
    if samples.dtype not in DTYPES:
        raise TypeError(f"samples are {samples.dtype}, wanted float32, float64 or int16")
    wanted = f"({channels}, n)" + (" or (n,)" if channels == 1 else "")
    if samples.ndim not in (1, 2) or (samples.shape[0] if samples.ndim == 2 else 1) != channels:
        raise ValueError(f"samples of shape {samples.shape}, wanted {wanted}")
    with np.errstate(over="ignore", invalid="ignore"):
        frames = samples.astype(np.float32).reshape(channels, -1)
    return frames / np.float32(INT16_SCALE) if samples.dtype == np.int16 else frames


def played_beside(far: Any, wanted: int | None = None) -> Float32:
    """(n,) float32 of full scale 1, the mean of the channels. raises TypeError, ValueError"""
    if isinstance(far, np.ndarray) and (far.ndim not in (1, 2) or (wanted is not None and far.shape[-1] != wanted)):
        raise ValueError(f"far of shape {far.shape}, wanted ({'n' if wanted is None else wanted},) or channels of that")
    channels = far.shape[0] if isinstance(far, np.ndarray) and far.ndim == 2 else 1
    return np.asarray(frames_of(far, channels).mean(0, dtype=np.float64), np.float32)


def as_long(samples: Float32, length: int) -> Float32:
    """Cut, or followed by silence, to (length,)."""
    return np.pad(samples[:length], (0, max(0, length - samples.shape[0])))


def like(frames: Float32, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Frames as samples of the caller's type; int16 is rounded and clipped."""
    out: NDArray[Any]
    if dtype == np.int16:
        whole = np.rint(frames * np.float32(INT16_SCALE))
        out = np.clip(whole, -INT16_SCALE, INT16_SCALE - 1).astype(np.int16)
    else:
        out = frames.astype(dtype)
    return out
