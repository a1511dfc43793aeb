"""Clips: a cache folder goes in, the clips of a kind and split over one memory map come out."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE

from .manifest import KINDS, CorpusError

CODED_PREFIX = "coded-"
CODED = (f"{CODED_PREFIX}speech", f"{CODED_PREFIX}noise")
ROOM = "room"
SYNTHETIC_PREFIX = "synthetic-"
SYNTHETIC = (f"{SYNTHETIC_PREFIX}noise", f"{SYNTHETIC_PREFIX}music")
STORES = (*KINDS, *CODED, ROOM, *SYNTHETIC)
"""What a cache may hold of a split: the decoded clips, and what sordino.data.extras makes of and beside them."""
ADVICE = "`sordino extras CACHE` adds them"
EXTRAS = "extras.json"


@dataclass(frozen=True)
class Clip:
    """One decoded recording inside a flat cache file."""

    path: str  # as in the manifest
    start: int  # first sample in the flat file
    length: int  # samples at 48 kHz
    speaker: str  # a label, empty for noise
    category: str  # language of speech, kind of noise
    bandwidth_hz: float  # content ends here
    snr_db: float  # estimated signal to noise ratio of the recording, nan where unknown
    level_db: float  # mean power of the active 20 ms frames, dB re full scale
    voice_share: float = math.nan  # of noise: how much of it a detector takes for speech, nan where it was not asked


@dataclass(frozen=True)
class Store:
    """Every clip of one kind and split: samples (int16, flat) and where each clip lies in them."""

    samples: NDArray[np.int16]
    clips: tuple[Clip, ...]

    def seconds(self) -> float:
        """Return the total duration in seconds."""
        return sum(clip.length for clip in self.clips) / SAMPLE_RATE


@dataclass(frozen=True)
class Sound:
    """Samples that are made to be one more clip, and what is known about them; where they start is not, yet."""

    samples: NDArray[np.int16]
    facts: Clip


def active_level_db(samples: NDArray[np.int16]) -> float:
    """Return the mean power, in dB re full scale, of the 20 ms frames within 30 dB of the loudest."""
    count = len(samples) // 960
    frames = samples[: count * 960].reshape(count, 960).astype(np.float32) / 32768
    power = (frames**2).mean(1) if count else np.zeros(1, np.float32)
    active = power[power >= power.max() * 1e-3]
    return float(10 * np.log10(active.mean() + 1e-10))


def _clips_of(cache: Path, name: str) -> tuple[Clip, ...]:
    """What the index, and that of the extras where it belongs to this cache, say about a flat file."""
    index_path = cache / "index.json"
    if not index_path.is_file():
        raise CorpusError(f"no cache index at {index_path}: run build_cache first")
    index = json.loads(index_path.read_text())
    extras: dict[str, Any] = {"stores": {}}
    if (cache / EXTRAS).is_file():
        found = json.loads((cache / EXTRAS).read_text())
        extras = found if found["mark"] == index["mark"] else extras
    clips = (Clip(**entry) for entry in (index["stores"] | extras["stores"]).get(name, []))
    shares = extras.get("voices", {}).get(name.removeprefix(CODED_PREFIX), {})
    return tuple(replace(clip, voice_share=shares.get(clip.path, math.nan)) for clip in clips)


def load_store(cache: Path, kind: str, split: str) -> Store:
    """Open one kind and split of a cache; an absent one gives an empty store.

    cache    folder written by build_cache
    kind     one of STORES
    split    one of SPLITS
    returns  Store over a read-only memory map
    raises   CorpusError if there is no cache or a flat file has the wrong size
    """
    clips = _clips_of(cache, f"{kind}-{split}")
    if not clips:
        return Store(np.zeros(0, np.int16), ())
    path = cache / f"{kind}-{split}.i16"
    wanted = clips[-1].start + clips[-1].length
    samples = np.memmap(path, np.int16, mode="r")
    if len(samples) != wanted:
        raise CorpusError(f"{path}: got {len(samples)} samples, index says {wanted}")
    return Store(samples, clips)
