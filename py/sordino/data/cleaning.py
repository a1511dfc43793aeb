"""Cleaning: a speech recording goes in, the same with its stationary noise floor lowered comes out.

Hobby recordings called clean carry noise 30 to 45 dB below the voice; a model trained on them learns to
keep noise in the pauses.  The floor is estimated per bin from the quietest moments of the whole clip and
lowered by at most MAX_CUT_DB; bins well above the floor are left as they are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

WINDOW = 960
HOP = 480
FLOOR_PERCENTILE = 8.0  # of the smoothed power of a bin over the clip
FLOOR_BIAS = 2.0  # from the percentile to the mean power of the floor
OVERSUBTRACTION = 2.0
MAX_CUT_DB = 18.0
SPEECH_MARGIN_DB = 22.0  # a floor nearer than this to the mean power of its bin is taken for speech
SMOOTH_FRAMES = 5
SMOOTH_BINS = 5


def _smooth(values: NDArray[np.float32], width: int, axis: int) -> NDArray[np.float32]:
    """Moving mean of odd width along an axis, ends repeated."""
    pad = [(0, 0)] * values.ndim
    pad[axis] = (width // 2 + 1, width // 2)
    total = np.cumsum(np.pad(values, pad, mode="edge"), axis=axis, dtype=np.float64)
    count = values.shape[axis]
    first = np.take(total, np.arange(count), axis)
    last = np.take(total, np.arange(width, width + count), axis)
    return ((last - first) / width).astype(np.float32)


def _frames(signal: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cut a signal into frames of WINDOW every HOP, windowed with a sine; (frames, WINDOW)."""
    window = np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW).astype(np.float32)
    padded = np.pad(signal, (HOP, WINDOW))
    view = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    return view * window


def floor_gain(power: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the gain that lowers the stationary floor of a power spectrogram.

    power    (frames, bins) >= 0
    returns  (frames, bins) amplitude gain, between -MAX_CUT_DB and 0 dB
    """
    smooth = _smooth(_smooth(power, SMOOTH_FRAMES, 0), SMOOTH_BINS, 1)
    sounding = smooth.mean(1) > 1e-12  # digital silence between words says nothing about the floor
    if sounding.sum() < 20:
        return np.ones_like(power)
    floor = FLOOR_BIAS * np.percentile(smooth[sounding], FLOOR_PERCENTILE, axis=0)
    limit = smooth[sounding].mean(0) * 10 ** (-SPEECH_MARGIN_DB / 10)
    floor = np.minimum(floor, limit).astype(np.float32)
    gain = np.sqrt(np.maximum(0, 1 - OVERSUBTRACTION * floor / (smooth + 1e-12)))
    gain = np.maximum(gain, 10 ** (-MAX_CUT_DB / 20))
    return _smooth(gain.astype(np.float32), 3, 0)


def clean_speech(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    """Lower the stationary noise floor of one clip.

    samples  (n,) int16, 48 kHz
    returns  (n,) int16
    """
    frames = _frames(samples.astype(np.float32) / np.float32(32768))
    spectrum = np.fft.rfft(frames).astype(np.complex64)
    spectrum *= floor_gain((spectrum.real**2 + spectrum.imag**2) / np.float32(WINDOW))
    window = np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW)
    back = np.fft.irfft(spectrum, WINDOW) * window
    out = np.zeros((len(back) + 1, HOP))
    out[:-1] += back[:, :HOP]
    out[1:] += back[:, HOP:]
    signal = out.reshape(-1)[HOP : HOP + len(samples)]
    return np.clip(np.round(signal * 32768), -32768, 32767).astype(np.int16)
