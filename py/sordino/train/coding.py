"""Coding: a recording goes in, what Opus makes of it at a low rate comes out."""

from __future__ import annotations

import io

import numpy as np
import soundfile
from numpy.typing import NDArray

from sordino.params import SAMPLE_RATE

KBPS = (6, 8, 12, 16, 24)
"""Rates of calls over poor connections: from a voice cut at 4 kHz to the whole band with audible faults."""
_HIGHEST_KBPS, _LOWEST_KBPS = 256, 6  # what libsndfile makes of its compression levels 0 and 1


def opus_copy(samples: NDArray[np.int16], kbps: float) -> NDArray[np.int16]:
    """Code a recording with Opus and decode it.

    samples  (n,) at 48 kHz
    kbps     kilobits per second that are aimed at, 6 to 256
    returns  (n,) int16
    raises   ValueError for a rate out of range
    """
    if not _LOWEST_KBPS <= kbps <= _HIGHEST_KBPS:
        raise ValueError(f"rate is {kbps} kbit/s, wanted {_LOWEST_KBPS} to {_HIGHEST_KBPS}")
    level = (_HIGHEST_KBPS - kbps) / (_HIGHEST_KBPS - _LOWEST_KBPS)
    coded = io.BytesIO()
    soundfile.write(coded, samples, SAMPLE_RATE, format="OGG", subtype="OPUS", compression_level=level)
    coded.seek(0)
    found: NDArray[np.int16] = soundfile.read(coded, dtype="int16")[0]
    return found
