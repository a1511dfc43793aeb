"""The guard at the chain's entrance. C twin: wasm/guard.h."""

from __future__ import annotations

import numpy as np

from .numerics import Float32
from .params import SAMPLE_FLOOR, SAMPLE_LIMIT


def guard(x: Float32) -> Float32:
    """Samples fit for the chain: not finite or minute -> 0, huge -> clamped; same shape."""
    limit = np.float32(SAMPLE_LIMIT)
    x = np.where(np.isfinite(x), x, np.float32(0))
    x = np.minimum(np.maximum(x, -limit), limit)
    return np.where(np.abs(x) < np.float32(SAMPLE_FLOOR), np.float32(0), x)
