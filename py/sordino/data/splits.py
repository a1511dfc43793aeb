"""Splits: entries with their durations go in, a split for each comes out; speakers and sources stay in one split."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence

from .layouts import Entry
from .manifest import CorpusError

LARGEST_SHARE = 1 / 3
"""A group with more of its kind than this is taken apart into single recordings, except a speaker's."""


def group_names(entries: Sequence[Entry], seconds: Sequence[float]) -> list[str]:
    """What must stay together: a speaker; recordings of one origin; or those whose names differ in a last number only.

    entries  of the corpus
    seconds  of each
    returns  a name for each
    """
    names = [_name(entry) for entry in entries]
    size: dict[tuple[str, str], float] = defaultdict(float)
    total: dict[str, float] = defaultdict(float)
    for entry, name, length in zip(entries, names, seconds, strict=True):
        size[entry.kind, name] += length
        total[entry.kind] += length
    return [
        name
        if entry.kind == "speech" or size[entry.kind, name] <= LARGEST_SHARE * total[entry.kind]
        else f"{name}/{entry.path.stem}"
        for entry, name in zip(entries, names, strict=True)
    ]


def _name(entry: Entry) -> str:
    if entry.kind == "speech":
        return entry.speaker
    if entry.origin:
        return f"{entry.source}/{entry.origin}"
    return f"{entry.source}/{entry.path.parent.name}/{re.sub(r'[-_ .]*[0-9]+$', '', entry.path.stem)}"


def draw_splits(entries: Sequence[Entry], seconds: Sequence[float], valid: float, test: float, seed: int) -> list[str]:
    """Give every entry a split.

    entries  with the splits that are fixed already
    seconds  of each
    valid    share of the time of each kind that is wanted for choosing
    test     share for reporting
    seed     of the choice
    returns  "train", "valid" or "test" for each
    raises   CorpusError if a speaker's fixed splits differ, or the shares leave nothing to train on
    """
    if valid < 0 or test < 0 or valid + test >= 1:
        raise CorpusError(f"shares of valid {valid} and test {test} leave nothing to train on")
    names = group_names(entries, seconds)
    fixed = _fixed(entries, names)
    chosen: dict[tuple[str, str], str] = dict(fixed)
    for kind in dict.fromkeys(entry.kind for entry in entries):
        length: dict[str, float] = defaultdict(float)
        for entry, name, duration in zip(entries, names, seconds, strict=True):
            if entry.kind == kind:
                length[name] += duration
        total = sum(length.values())
        have = {split: sum(length[n] for n in length if fixed.get((kind, n)) == split) for split in ("valid", "test")}
        free = sorted((n for n in length if (kind, n) not in fixed), key=lambda n: _draw(seed, kind, n))
        for index, name in enumerate(free):
            left = len(free) - index
            split = next(
                (s for s, share in (("test", test), ("valid", valid)) if have[s] < share * total and left > 1), "train"
            )
            if (
                split != "train"
                and have[split]
                and have[split] + length[name] > 1.5 * total * (test if split == "test" else valid)
            ):
                split = "train"  # one long speaker must not fill a small split many times over
            have[split] = have.get(split, 0.0) + length[name]
            chosen[kind, name] = split
    return [chosen[entry.kind, name] for entry, name in zip(entries, names, strict=True)]


def _fixed(entries: Sequence[Entry], names: Sequence[str]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for entry, name in zip(entries, names, strict=True):
        if not entry.split:
            continue
        known = found.setdefault((entry.kind, name), entry.split)
        if known != entry.split:
            who = "speaker" if entry.kind == "speech" else "source"
            raise CorpusError(f"{who} {name} is in two splits, {known} and {entry.split}: {entry.path}")
    return found


def _draw(seed: int, kind: str, name: str) -> bytes:
    return hashlib.sha256(f"{seed}/{kind}/{name}".encode()).digest()
