"""Extras: a decoded corpus goes in; coded copies, simulated rooms, synthetic noise and music come beside it.

`sordino extras CACHE` adds them to a cache that has none; build_cache does the same by itself. The
mixer draws from them, so that a training step needs no codec and no simulation; and the voices that a detector finds
in recorded noise are noted.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from sordino.chain.params import SAMPLE_RATE
from sordino.run.engines import EngineError

from .clips import CODED, CODED_PREFIX, EXTRAS, ROOM, SYNTHETIC, Sound, load_store
from .coding import KBPS, coded_copies
from .manifest import CorpusError
from .simulated_rooms import room_sounds
from .synthetic_music import music_sounds
from .synthetic_noise import noise_sounds
from .voices import LIMIT, voice_shares

SPLITS = ("train", "valid")
"""The test split stays as it was recorded."""


@dataclass(frozen=True)
class Amounts:
    """How much is made."""

    coded_share: float = 0.06  # of the duration of speech and of noise
    piece_s: float = 15.0  # longest coded piece of a clip
    rooms_per_hour: float = 20.0  # of speech
    most_rooms: int = 100
    synthetic_per_hour: float = 600.0  # seconds of noise, and of music, per hour of speech
    most_synthetic_s: float = 2400.0
    kbps: tuple[int, ...] = KBPS
    seed: int = 1


def _makers(cache: Path, split: str, amounts: Amounts) -> dict[str, Callable[[], list[Sound]]]:
    """What is made of a split, by the name of the file."""

    def seed(name: str) -> int:
        return amounts.seed + zlib.crc32(name.encode())

    makers: dict[str, Callable[[], list[Sound]]] = {}
    for kind in CODED:
        store, name = load_store(cache, kind.removeprefix(CODED_PREFIX), split), f"{kind}-{split}"
        makers[name] = partial(coded_copies, store, amounts.coded_share, amounts.piece_s, amounts.kbps, seed(name))
    hours, name = load_store(cache, "speech", split).seconds() / 3600, f"{ROOM}-{split}"
    rooms = min(amounts.most_rooms, math.ceil(amounts.rooms_per_hour * hours))
    makers[name] = partial(room_sounds, rooms, seed(name))
    seconds = min(amounts.most_synthetic_s, amounts.synthetic_per_hour * hours)
    for kind, make in zip(SYNTHETIC, (noise_sounds, music_sounds), strict=True):
        makers[f"{kind}-{split}"] = partial(make, seconds, seed(f"{kind}-{split}"))
    return makers


def _write(path: Path, sounds: list[Sound]) -> list[dict[str, Any]]:
    """Write one flat file; return its index."""
    entries, start, part = [], 0, path.with_suffix(".part")
    with part.open("wb") as stream:
        for sound in sounds:
            sound.samples.tofile(stream)
            entries.append(asdict(replace(sound.facts, start=start)))
            start += len(sound.samples)
    os.replace(part, path)
    return entries


def _make_sounds(cache: Path, amounts: Amounts, report: Callable[[str], None]) -> dict[str, list[dict[str, Any]]]:
    stores = {}
    for name, make in (item for split in SPLITS for item in _makers(cache, split, amounts).items()):
        try:
            sounds = make()
        except ModuleNotFoundError as error:
            report(f"corpus: {name}: none: {error}; pip install 'sordino[train]'")
            continue
        stores[name] = _write(cache / f"{name}.i16", sounds)
        report(f"corpus: {name}: {len(sounds)} sounds, {sum(len(s.samples) for s in sounds) / SAMPLE_RATE:.0f} s")
    return stores


def _find_voices(cache: Path, report: Callable[[str], None]) -> dict[str, dict[str, float]]:
    voices = {}
    for split in SPLITS:
        name = f"noise-{split}"
        try:
            voices[name] = voice_shares(load_store(cache, "noise", split))
        except EngineError as error:
            report(f"corpus: {name}: not searched for voices: {error}")
            continue
        doubted = sum(share > LIMIT for share in voices[name].values())
        report(f"corpus: {name}: {doubted} of {len(voices[name])} seem to hold voices")
    return voices


def add_extras(cache: Path, report: Callable[[str], None] = print, amounts: Amounts | None = None) -> None:
    """Write what is made, and extras.json with the shares of voices and with what cache it is for.

    cache    folder written by build_cache; what is in it is not changed, and extras that are whole are kept
    report   gets one line per kind and split, or why there are none
    amounts  how much is made
    raises   CorpusError if there is no cache
    """
    amounts = amounts or Amounts()
    index_path, target = cache / "index.json", cache / EXTRAS
    if not index_path.is_file():
        raise CorpusError(f"no cache index at {index_path}: `sordino train` makes one")
    made = {"mark": json.loads(index_path.read_text())["mark"], "amounts": asdict(amounts)}
    made = json.loads(json.dumps(made))
    known = json.loads(target.read_text()) if target.is_file() else {}
    same = made.items() <= known.items()
    has_sounds = same and len(known["stores"]) == len(SPLITS) * len((*CODED, ROOM, *SYNTHETIC))
    if has_sounds and len(known["voices"]) == len(SPLITS):
        report(f"corpus: {target} is there")
        return
    made["stores"] = known["stores"] if has_sounds else _make_sounds(cache, amounts, report)
    made["voices"] = _find_voices(cache, report)
    part = target.with_suffix(".part")
    part.write_text(json.dumps(made))
    os.replace(part, target)
