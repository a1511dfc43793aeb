"""Index: folders of recordings go in, manifest.csv and problems.txt come out."""

from __future__ import annotations

import csv
import json
import math
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .inspect import Facts, Unfit, inspect
from .layouts import Entry, recognise
from .manifest import KINDS, CorpusError
from .splits import draw_splits

COLUMNS = (
    *("path", "split", "kind", "source", "package", "licence", "speaker", "language_or_category"),
    *("seconds", "orig_sr", "eff_bw_hz", "snr_est_db", "level_db"),
)
MEASURED = "measured.jsonl"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Summary:
    """What an index holds."""

    hours: dict[str, dict[str, float]]  # by kind and split
    speakers: dict[str, int]  # by split
    problems: list[str]


def index(
    folders: Iterable[tuple[Path, str]],
    out: Path,
    valid: float = 0.1,
    test: float = 0.1,
    seed: int = 1,
    licence: str = "",
    progress: Progress = lambda done, total: None,
    say: Callable[[str], None] = lambda line: None,
    further: Sequence[Entry] = (),
    check_voices: bool = False,
) -> Summary:
    """Measure all recordings and write the manifest.

    folders       each with its kind, or "" to tell it from the layout
    out           gets manifest.csv, problems.txt and the measurements, so that a later run measures new files only
    valid         share of speakers' and sources' time for choosing, where the layout does not fix it
    test          share for reporting
    seed          of the splits
    licence       of the recordings in the folders, as a note
    progress      called with (files done, files in all)
    say           gets a line per folder
    further       recordings that are known already
    check_voices  leave out noise in which our own model hears speech
    raises        CorpusError if a folder cannot be understood, or no speech or no noise is left
    """
    entries = [*further, *_recognise_all(folders, say)]
    out.mkdir(parents=True, exist_ok=True)
    results = _measure(entries, out / MEASURED, progress, check_voices)
    kept, facts, problems = _sift(entries, results)
    (out / "problems.txt").write_text("".join(f"{line}\n" for line in problems))
    for kind in ("speech", "noise"):
        if not any(entry.kind == kind for entry in kept):
            why = f"; {len(problems)} files were left out, see {out / 'problems.txt'}" if problems else ""
            raise CorpusError(f"no usable {kind} in {len(entries)} files; training needs speech and noise{why}")
    splits = draw_splits(kept, [f.seconds for f in facts], valid, test, seed)
    _write(out / "manifest.csv", kept, facts, splits, licence)
    return _summarise(kept, facts, splits, problems)


def _recognise_all(folders: Iterable[tuple[Path, str]], say: Callable[[str], None]) -> Iterator[Entry]:
    """The recordings of all folders. raises CorpusError for a folder that cannot be understood"""
    for folder, kind in folders:
        name, found = recognise(folder, kind)
        counts = Counter(entry.kind for entry in found)
        say(f"{folder}: {name}: {', '.join(f'{counts[kind]} {kind}' for kind in KINDS if counts[kind])}")
        yield from found


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return "missing"
    return f"{found.st_size} {found.st_mtime_ns}"


def _measure(entries: list[Entry], memory: Path, progress: Progress, check_voices: bool) -> list[Facts | str]:
    """Facts of each entry, or why it is unfit; remembered by path, size and time of change."""
    known: dict[tuple[str, str, str], dict[str, Any]] = {}
    for line in memory.read_text().splitlines() if memory.is_file() else []:
        try:
            found = json.loads(line)
            known[found["path"], found["stamp"], found["kind"]] = found
        except (json.JSONDecodeError, KeyError):
            continue  # the run was stopped while it wrote this line

    def one(entry: Entry) -> dict[str, Any]:
        listens = check_voices and entry.kind == "noise"
        key = (str(entry.path.resolve()), _stamp(entry.path), "noise without voices" if listens else entry.kind)
        if key in known:
            return known[key]
        found: dict[str, Any] = {"path": key[0], "stamp": key[1], "kind": key[2], "new": True}
        try:
            found["facts"] = asdict(inspect(entry.path, entry.kind, listens))
        except Unfit as error:
            found["unfit"] = str(error)
        return found

    results: list[Facts | str] = []
    with memory.open("a") as stream, ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, found in enumerate(pool.map(one, entries), 1):
            if found.pop("new", False):
                stream.write(json.dumps(found) + "\n")
                stream.flush()
            results.append(Facts(**found["facts"]) if "facts" in found else found["unfit"])
            progress(done, len(entries))
    return results


def _sift(entries: list[Entry], results: list[Facts | str]) -> tuple[list[Entry], list[Facts], list[str]]:
    """Leave out what is unfit and what is there twice; returns entries, facts and a line for each one left out."""
    kept, facts, problems = [], [], []
    seen: dict[str, Entry] = {}
    for entry, result in zip(entries, results, strict=True):
        if isinstance(result, str):
            problems.append(f"{entry.path}: {entry.kind}: {result}")
        elif result.digest in seen:
            problems.append(f"{entry.path}: {entry.kind}: the same sound as {seen[result.digest].path}")
        else:
            seen[result.digest] = entry
            kept.append(entry)
            facts.append(result)
    return kept, facts, problems


def _write(path: Path, entries: list[Entry], facts: list[Facts], splits: list[str], licence: str) -> None:
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for entry, fact, split in zip(entries, facts, splits, strict=True):
            place = os.path.relpath(entry.path.resolve(), path.parent.resolve())
            row = [place, split, entry.kind, entry.source, "", entry.licence or licence, entry.speaker, entry.category]
            ratio = "" if math.isnan(fact.snr_db) else fact.snr_db
            writer.writerow([*row, fact.seconds, fact.original_rate_hz, fact.bandwidth_hz, ratio, fact.level_db])
    part.replace(path)


def _summarise(entries: list[Entry], facts: list[Facts], splits: list[str], problems: list[str]) -> Summary:
    hours: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    speakers: dict[str, set[str]] = defaultdict(set)
    for entry, fact, split in zip(entries, facts, splits, strict=True):
        hours[entry.kind][split] += fact.seconds / 3600
        if entry.kind == "speech":
            speakers[split].add(entry.speaker)
    return Summary({k: dict(v) for k, v in hours.items()}, {k: len(v) for k, v in speakers.items()}, problems)
