"""Comparison: a set of clips and systems go in, every system's scores come out; what was done before is not redone.

Everything is kept under one folder: the sets, each system's last outputs, each clip's scores under a key that holds the
set, the system and the scorer, so that scores stay valid as long as nothing that decides them has changed.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sordino.data.clips import Store
from sordino.data.manifest import CorpusError

from . import fingerprint, running, scoring
from .folders import lay_out
from .peers import install
from .report import Result
from .systems import System
from .testset import Case, Material, load_material, set_key, write_set
from .voices import at_speed

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Reason = str
"""Why a system could not be had."""


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[], None]]:
    """Count on one line of the terminal, or in quarters where there is none."""
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            print(f"\r{label:<36} {done:>4} of {total}", end="", file=sys.stderr, flush=True)
        elif done * 4 // total != (done - 1) * 4 // total:
            print(f"{label:<36} {done:>4} of {total}", file=sys.stderr, flush=True)

    yield advance
    if done and sys.stderr.isatty():
        print(file=sys.stderr)


@contextmanager
def workers(processes: int) -> Iterator[Any]:
    """A pool of processes that compute on one thread each."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield pool


def read_scores(path: Path, key: str) -> dict[int, dict[str, Any]]:
    """Scores kept from earlier runs under the same key."""
    lines = path.read_text().splitlines() if path.is_file() else []
    found: dict[int, dict[str, Any]] = {}
    for line in lines:
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue  # the run was stopped while it wrote this line
        if entry["key"] == key:
            found[entry["index"]] = {**found.get(entry["index"], {}), **entry["scores"]}
    return found


def excluded_noise() -> tuple[str, ...]:
    """Noise recordings that hold voices, as training leaves them out too."""
    config = Path(__file__).parents[1] / "train" / "configs" / "standard.toml"
    return tuple(tomllib.loads(config.read_text())["data"]["exclude_noise"])


@dataclass(frozen=True)
class ClipSet:
    """Clips on disk: noisy/0000.flac, clean/0000.flac and case/0000.json of each."""

    key: str
    folder: Path
    cases: list[Case]


def seeded_set(
    work: Path,
    cache: Path,
    split: str,
    seed: int,
    count: int,
    speed: float = 1.0,
    snr_db: float | None = None,
    speech: str = "",
) -> ClipSet:
    """The first `count` seeded mixtures of a split, made where they are missing.

    speed   of every voice, see voices.at_speed
    speech  pattern of the paths of the recordings of speech that may be used; empty: all
    snr_db  of every noisy mixture; None: the range of the test set
    raises  CorpusError, ValueError
    """
    exclude = excluded_noise()
    key = set_key(seed, cache, split, exclude)
    if speed != 1:
        key += f"-speed{speed:g}-{fingerprint.content(fingerprint.VOICES)[:8]}"
    if snr_db is not None:
        key += f"-snr{snr_db:g}"
    if speech:
        key += f"-speech{fingerprint.content([], speech)[:8]}"
    folder = work / "sets" / key

    def material() -> Material:
        return at_speed(_only(load_material(cache, split, exclude), speech), speed)

    with progress("test set", count) as advance:
        cases = write_set(folder, seed, count, material, lambda _: advance(), snr_db)
    return ClipSet(key, folder, cases)


def _only(material: Material, speech: str) -> Material:
    """The material with only those recordings of speech whose paths match. raises CorpusError if there are none"""
    clips = tuple(clip for clip in material.speech.clips if re.search(speech, clip.path))
    if not clips:
        raise CorpusError(f"of {len(material.speech.clips)} recordings of speech no path matches {speech!r}")
    return replace(material, speech=Store(material.speech.samples, clips))


@dataclass(frozen=True)
class Place:
    """Where a comparison keeps its things and what it may do."""

    work: Path
    peers: Path  # the peers' packages
    processes: int
    offline: bool = False  # install nothing


class Comparison:
    """Systems on one set of clips.

    clips  the set
    place  folders
    pool   processes, see workers
    """

    def __init__(self, clips: ClipSet, place: Place, pool: Any) -> None:
        self.clips, self.place, self.pool = clips, place, pool

    def of(self, system: System) -> list[Case]:
        """The clips that a system is to hear."""
        cases = self.clips.cases[: system.first] if system.first else self.clips.cases
        return [case for case in cases if case.part in system.parts]

    def score(self, system: System, visqol: int = 0) -> Result | Reason:
        """Run and score one system where that was not done before.

        visqol  clips that get this slow score as well
        """
        mark = running.fingerprint(system)
        cases = self.of(system)
        path = self.place.work / "scores" / f"{system.file_name}.jsonl"
        key = f"{self.clips.key} {mark} {fingerprint.content(fingerprint.SCORING)}"
        scores = read_scores(path, key)
        kept = self.place.work / "manners" / self.clips.key / f"{system.file_name}-{mark}.json"
        missing = [case for case in cases if not scores.get(case.index, {}).keys() - {"visqol"}]
        heard = [] if system.first else [case for case in cases if case.part != "music alone"][:visqol]
        unheard = [case for case in heard if "visqol" not in scores.get(case.index, {})]
        if missing or unheard or not kept.is_file():
            try:
                wanted = {case.index: case for case in [*missing, *unheard]} or {cases[0].index: cases[0]}
                folder, manner = self._run(system, mark, list(wanted.values()))
            except (running.RunError, OSError) as error:
                return str(error)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(asdict(manner)))
            self._score(f"{system.name}: score", missing, folder, path, key, "")
            self._score(f"{system.name}: ViSQOL", unheard, folder, path, key, str(self.place.peers / "python"))
            scores = read_scores(path, key)
        asked = {case.index for case in cases}
        manner = running.Manner(**json.loads(kept.read_text()))
        return Result(system, {i: found for i, found in scores.items() if i in asked}, manner)

    def _run(self, system: System, mark: str, cases: list[Case]) -> tuple[Path, running.Manner]:
        """Make the outputs of some clips; the folder with them and how the system answers."""
        if system.package:
            reason = "" if self.place.offline else install(system.package, self.place.peers)
            if reason:
                raise running.RunError(reason)
        folder = self.place.work / "outputs" / self.clips.key / system.file_name
        if not (folder / mark).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / mark).touch()
        if system.family == "folder":
            return folder, lay_out(Path(system.runner), self.clips.folder, cases, folder)
        with progress(f"{system.name}: denoise", len(cases)) as advance:
            place = self.place
            return folder, running.run(system, self.clips.folder, cases, folder, place.peers, place.processes, advance)

    def _score(self, label: str, cases: list[Case], folder: Path, path: Path, key: str, packages: str) -> None:
        """Score clips; each score is written at once, a line of JSON."""
        if not cases:
            return
        tasks = [(c.index, str(self.clips.folder), str(folder / f"{c.index:04d}.flac"), packages) for c in cases]
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as stream, progress(label, len(tasks)) as advance:
            for index, scores in self.pool.imap_unordered(scoring.score_clip, tasks):
                stream.write(json.dumps({"key": key, "index": index, "scores": scores}) + "\n")
                stream.flush()
                advance()

    def all(self, systems: list[System], visqol: int = 0) -> tuple[list[Result], dict[str, Reason]]:
        """Score every system that hears any clip; also the systems that could not be had, with the reasons."""
        results, missing = [], {}
        for system in filter(self.of, systems):
            found = self.score(system, visqol)
            if isinstance(found, Result):
                results.append(found)
            else:
                missing[system.name] = found
                print(f"{system.name}: LEFT OUT: {found}", file=sys.stderr, flush=True)
        return results, missing
