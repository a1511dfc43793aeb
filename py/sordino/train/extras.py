"""Extras: a decoded corpus goes in, Opus-coded copies of some clips and simulated rooms are written beside it.

`python -m sordino.train.extras CACHE` adds them to a cache that has none; build_cache does the same by itself. The
mixer draws from them, so that a training step needs neither a codec nor a simulation.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sordino.corpus.inspect import bandwidth_hz
from sordino.train.coding import KBPS, opus_copy
from sordino.train.corpus import (
    CODED_PREFIX,
    EXTRAS,
    ROOM,
    SAMPLE_RATE,
    Clip,
    CorpusError,
    Store,
    active_level_db,
    load_store,
)
from sordino.train.rooms import simulate_rooms

SPLITS = ("train", "valid")
"""The test split stays as it was recorded."""


@dataclass(frozen=True)
class Amounts:
    """How much is made."""

    coded_share: float = 0.06  # of the duration of speech and of noise
    piece_s: float = 15.0  # longest coded piece of a clip
    rooms_per_hour: float = 20.0  # of speech
    most_rooms: int = 100
    kbps: tuple[int, ...] = KBPS
    seed: int = 1


@dataclass(frozen=True)
class Sound:
    """Samples and what is known about them."""

    samples: NDArray[np.int16]
    facts: Clip


def _code(store: Store, amounts: Amounts, seed: int) -> list[Sound]:
    """Coded copies of stretches of randomly chosen clips, each at a rate of its own."""
    rng = np.random.default_rng(seed)
    left = amounts.coded_share * store.seconds() * SAMPLE_RATE
    pieces: list[tuple[Clip, int, int, int]] = []
    for index in rng.permutation(len(store.clips)):
        if left <= 0:
            break
        clip = store.clips[index]
        length = min(clip.length, int(amounts.piece_s * SAMPLE_RATE))
        first = clip.start + int(rng.integers(clip.length - length + 1))
        pieces.append((clip, first, length, int(rng.choice(amounts.kbps))))
        left -= length

    def one(piece: tuple[Clip, int, int, int]) -> Sound:
        clip, first, length, kbps = piece
        found = opus_copy(np.asarray(store.samples[first : first + length]), kbps)
        end = min(clip.bandwidth_hz, bandwidth_hz(found))
        facts = replace(clip, length=len(found), bandwidth_hz=float(end), level_db=active_level_db(found))
        return Sound(found, facts)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(one, pieces))


def _rooms(hours: float, amounts: Amounts, seed: int) -> list[Sound]:
    count = min(amounts.most_rooms, math.ceil(amounts.rooms_per_hour * hours))
    found = []
    for index, response in enumerate(simulate_rooms(count, seed)):
        samples = np.round(response * 32767).astype(np.int16)
        facts = Clip(f"{ROOM}-{index}", 0, len(samples), "", "simulated", SAMPLE_RATE / 2, math.nan, 0.0)
        found.append(Sound(samples, facts))
    return found


def _write(path: Path, sounds: list[Sound]) -> list[dict[str, Any]]:
    """Write one flat file; return its index."""
    entries, start = [], 0
    with path.open("wb") as stream:
        for sound in sounds:
            sound.samples.tofile(stream)
            entries.append(asdict(replace(sound.facts, start=start)))
            start += len(sound.samples)
    return entries


def add_extras(cache: Path, report: Callable[[str], None] = print, amounts: Amounts | None = None) -> None:
    """Write the coded copies and the rooms of a cache, and extras.json, which says for which cache they are.

    cache    folder written by build_cache; what is in it is not changed
    report   gets one line per kind and split, or why there are none
    amounts  how much is made
    raises   CorpusError if there is no cache
    """
    amounts = amounts or Amounts()
    index_path = cache / "index.json"
    if not index_path.is_file():
        raise CorpusError(f"no cache index at {index_path}: `sordino train` makes one")
    stores: dict[str, list[dict[str, Any]]] = {}
    for split in SPLITS:
        hours = load_store(cache, "speech", split).seconds() / 3600
        for kind in ("speech", "noise", ROOM):
            name = f"{kind}-{split}" if kind == ROOM else f"{CODED_PREFIX}{kind}-{split}"
            seed = amounts.seed + zlib.crc32(name.encode())
            try:
                sounds = (
                    _rooms(hours, amounts, seed)
                    if kind == ROOM
                    else _code(load_store(cache, kind, split), amounts, seed)
                )
            except ModuleNotFoundError as error:
                report(f"corpus: {name}: none: {error}; pip install 'sordino[train]'")
                continue
            stores[name] = _write(cache / f"{name}.i16", sounds)
            minutes = sum(len(sound.samples) for sound in sounds) / SAMPLE_RATE / 60
            report(f"corpus: {name}: {len(sounds)} {'rooms' if kind == ROOM else f'pieces, {minutes:.1f} min'}")
    part = cache / f"{EXTRAS}.part"
    part.write_text(json.dumps({"mark": json.loads(index_path.read_text())["mark"], "stores": stores}))
    os.replace(part, cache / EXTRAS)


def main() -> None:
    """The command line; known errors become one line."""
    parser = argparse.ArgumentParser(prog="python -m sordino.train.extras", description=__doc__.split("\n", 1)[0])
    parser.add_argument("cache", type=Path, help="folder of decoded clips, such as data/cache")
    try:
        add_extras(parser.parse_args().cache)
    except CorpusError as error:
        raise SystemExit(f"extras: {error}") from error


if __name__ == "__main__":
    main()
