"""Levels of a recording of words over steady noise: of what lies between the words, and of the loud syllables."""

import numpy as np

from golden.signals import RATE

_FRAME = RATE // 50


def levels_db(samples: np.ndarray) -> tuple[float, float]:
    """Noise and voice in dB of the samples' scale: below them lie half of the faintest 40 % of the frames of 20 ms, and
    half of the loudest 15 %."""
    frames = samples[: samples.size - samples.size % _FRAME].reshape(-1, _FRAME).astype(np.float64)
    noise, voice = np.percentile(10 * np.log10(np.square(frames).mean(axis=1) + 1e-9), (20, 92.5))
    return float(noise), float(voice)
