"""Voices: recordings of noise go in, the share of each in which our own model hears speech comes out."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import HOP, SAMPLE_RATE
from sordino.run.engines import open_engine

from .clips import Clip, Store, active_level_db

MODEL = "standard"
SURE = 0.9  # speech probability of a hop
LIMIT = 0.25
"""Noise with more speech than this is doubted. Of the recordings of our corpus that are known to hold voices 9 of 10
lie above, of the others 1 of 20."""
_LEVEL_DB = -26.0
_LONGEST_S = 60


def voice_share(samples: NDArray[np.int16]) -> float:
    """Share of the 10 ms hops that are surely speech, 0 to 1; of long recordings the first minute counts.

    samples  (n,) at 48 kHz
    raises   EngineError if the native extension is not built
    """
    hops = min(len(samples), _LONGEST_S * SAMPLE_RATE) // HOP
    if not hops:
        return 0.0
    gain = 10 ** ((_LEVEL_DB - active_level_db(samples)) / 20) / 32768
    sound = samples[: hops * HOP].astype(np.float32) * np.float32(gain)
    engine, sure = open_engine("native", MODEL), 0
    for hop in sound.reshape(hops, HOP):
        engine.process(hop)
        sure += engine.decision().voice > SURE
    return sure / hops


def voice_shares(store: Store) -> dict[str, float]:
    """The share of every clip by its path, to three places. raises EngineError as voice_share"""

    def share(clip: Clip) -> float:
        return round(voice_share(np.asarray(store.samples[clip.start : clip.start + clip.length])), 3)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return {clip.path: found for clip, found in zip(store.clips, pool.map(share, store.clips), strict=True)}
