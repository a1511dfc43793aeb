"""Whether a system denoises at all: the speed of silence means nothing."""

from __future__ import annotations

import math

import numpy as np

from sordino.chain.params import HOP, SAMPLE_RATE


def denoising(noisy: np.ndarray, cleaned: np.ndarray) -> dict[str, float]:
    """Whether an output is the denoised input and not silence: delay, correlation at it, level of the quiet frames."""
    size = 1 << math.ceil(math.log2(noisy.size * 2))
    product = np.fft.irfft(np.conj(np.fft.rfft(noisy, size)) * np.fft.rfft(cleaned, size))[: SAMPLE_RATE // 4]
    delay = int(np.argmax(product))
    a, b = noisy[: noisy.size - delay].astype(np.float64), cleaned[delay:].astype(np.float64)
    correlation = float(a @ b / math.sqrt((a @ a) * (b @ b) + 1e-30))
    frames = [x[: x.size // HOP * HOP].reshape(-1, HOP) for x in (a, b)]
    level = [10 * np.log10((f**2).mean(axis=1) + 1e-12) for f in frames]
    quiet = level[0] <= np.percentile(level[0], 25)
    reduction = float(level[0][quiet].mean() - level[1][quiet].mean())
    loud = level[0] >= np.percentile(level[0], 90)
    kept = float(level[1][loud].mean() - level[0][loud].mean())
    return {"delay_samples": delay, "correlation": correlation, "quiet_reduction_db": reduction, "loud_change_db": kept}


def check_denoises(name: str, found: dict[str, float]) -> None:
    if found["correlation"] < 0.5 or found["quiet_reduction_db"] < 1 or found["loud_change_db"] < -12:
        raise SystemExit(f"{name} does not denoise, its speed means nothing: {found}")
