"""Coding: recordings go in, what Opus makes of them at low rates comes out."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import soundfile
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE

from .clips import Clip, Sound, Store, active_level_db
from .inspect import bandwidth_hz

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


def coded_copies(store: Store, share: float, piece_s: float, rates_kbps: Sequence[int], seed: int) -> list[Sound]:
    """Code stretches of randomly chosen clips, each at a rate of its own.

    store       clips of one kind and split
    share       how much is coded, of the duration of all clips
    piece_s     longest stretch of a clip
    rates_kbps  rates to draw from, as of opus_copy
    seed        the same seed, the same copies
    returns     copies of their clips' names, with the bandwidth and the level of what is left
    """
    rng = np.random.default_rng(seed)
    left = share * store.seconds() * SAMPLE_RATE
    pieces: list[tuple[Clip, int, int, int]] = []
    for index in rng.permutation(len(store.clips)):
        if left <= 0:
            break
        clip = store.clips[index]
        length = min(clip.length, int(piece_s * SAMPLE_RATE))
        first = clip.start + int(rng.integers(clip.length - length + 1))
        pieces.append((clip, first, length, int(rng.choice(rates_kbps))))
        left -= length

    def code(piece: tuple[Clip, int, int, int]) -> Sound:
        clip, first, length, kbps = piece
        found = opus_copy(np.asarray(store.samples[first : first + length]), kbps)
        end = min(clip.bandwidth_hz, bandwidth_hz(found))
        facts = replace(clip, length=len(found), bandwidth_hz=float(end), level_db=active_level_db(found))
        return Sound(found, facts)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(code, pieces))
