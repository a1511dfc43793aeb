"""Quality: runs the comparison with the peers; `python3 build.py bench quality` calls it.

Everything is kept under the output folder: the test set, each system's aligned outputs, each clip's scores. A run that
was interrupted goes on, and a run after a change does again only what the change concerns.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
VISQOL_PACKAGES = (("visqol-python", "3.8.0"), ("ai-edge-litert", "2.3.0"))
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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


def score_all(
    label: str, pool: Any, tasks: list[tuple[int, str, str, str]], path: Path, key: str, has: Callable[[dict], bool]
) -> dict[int, dict[str, Any]]:
    """Score what has no scores yet; each one is written at once.

    label  for the progress line
    pool   processes
    tasks  see scoring.score_clip
    path   file that keeps the scores, a line of JSON each
    key    of this set, system and version
    has    whether the scores of a clip include those wanted
    """
    from .scoring import score_clip

    kept = read_scores(path, key)
    missing = [task for task in tasks if not has(kept.get(task[0], {}))]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream, progress(label, max(len(missing), 1)) as advance:
        for index, scores in pool.imap_unordered(score_clip, missing):
            stream.write(json.dumps({"key": key, "index": index, "scores": scores}) + "\n")
            stream.flush()
            kept[index] = {**kept.get(index, {}), **scores}
            advance()
    return kept


def choose(names: str | None, known: Iterable) -> list:
    """The systems named, in their order; all when none is named. Raises ValueError for an unknown name."""
    systems = list(known)
    if not names:
        return systems
    wanted = {name.strip() for name in names.split(",")} | {"noisy"}
    unknown = wanted - {system.name for system in systems}
    if unknown:
        raise ValueError(f"no system {', '.join(sorted(unknown))}; known: {', '.join(s.name for s in systems)}")
    return [system for system in systems if system.name in wanted]


def excluded_noise() -> tuple[str, ...]:
    """Noise recordings that hold voices, as training leaves them out too."""
    config = Path(__file__).parents[1] / "train" / "configs" / "standard.toml"
    return tuple(tomllib.loads(config.read_text())["data"]["exclude_noise"])


class Comparison:
    """One run: a test set, a folder and processes."""

    def __init__(self, options: argparse.Namespace, pool: Any) -> None:
        from .testset import load_material, set_key, write_set

        self.options, self.pool = options, pool
        self.peers = options.peers
        exclude = excluded_noise()
        self.key = set_key(options.seed, options.cache, exclude)
        self.clips = options.out / "sets" / self.key
        with progress("test set", options.count) as advance:
            material = lambda: load_material(options.cache, exclude)  # noqa: E731
            self.cases = write_set(self.clips, options.seed, options.count, material, lambda _: advance())

    def of(self, system: Any) -> list:
        """The clips that a system is to hear."""
        cases = self.cases[: system.first] if system.first else self.cases
        return [case for case in cases if case.part in system.parts]

    def score(self, system: Any) -> Any:
        """Install, run and score one system; returns a Result, or why there is none."""
        from . import running, scoring
        from .peers import install
        from .report import Result
        from .systems import fingerprint

        if system.package:
            reason = "" if self.options.offline else install(system.package, self.peers)
            if reason:
                return reason
        mark = fingerprint(system, running.runner_files(system))
        folder = self.options.out / "outputs" / self.key / system.name
        if not (folder / mark).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / mark).touch()
        cases = self.of(system)
        try:
            with progress(f"{system.name}: denoise", len(cases)) as advance:
                lag = running.run(system, self.clips, cases, folder, self.peers, self.options.processes, advance)
        except (running.RunError, OSError) as error:
            return str(error)
        key = f"{self.key} {mark} {scoring.VERSION}"
        path = self.options.out / "scores" / f"{system.name}.jsonl"
        tasks = [(c.index, str(self.clips), str(folder / f"{c.index:04d}.flac"), "") for c in cases]
        has = lambda scores: bool(scores.keys() - {"visqol"})  # noqa: E731
        scores = score_all(f"{system.name}: score", self.pool, tasks, path, key, has)
        if self.options.visqol and not system.first:
            packages = str(self.peers / "python")
            few = [(*task[:3], packages) for task in tasks[: self.options.visqol] if "pesq" in scores[task[0]]]
            scores = score_all(f"{system.name}: ViSQOL", self.pool, few, path, key, lambda s: "visqol" in s)
        wanted = {case.index for case in cases}
        return Result(system, {index: found for index, found in scores.items() if index in wanted}, lag)


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Run the comparison and write its report.

    options  as parse_arguments returns them
    returns  what is in quality.json
    """
    from . import plots, report
    from .peers import install
    from .systems import NOISY, PEERS, Package, our_systems
    from .testset import SECONDS

    systems = choose(options.systems, [NOISY, *PEERS, *our_systems(options.float_count)])
    missing: dict[str, str] = {}
    if options.visqol:
        reasons = [install(Package("pypi", *package), options.peers) for package in VISQOL_PACKAGES]
        if any(reasons):
            missing["ViSQOL"], options.visqol = " ".join(filter(None, reasons)), 0
    results = []
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        comparison = Comparison(options, pool)
        for system in filter(comparison.of, systems):
            result = comparison.score(system)
            if isinstance(result, str):
                missing[system.name] = result
                print(f"{system.name}: LEFT OUT: {result}", file=sys.stderr, flush=True)
            else:
                results.append(result)
    facts = {
        "set": comparison.key,
        "seed": options.seed,
        "seconds": SECONDS,
        "parts": [case.part for case in comparison.cases],
    }
    found = report.collect(results, comparison.cases, missing, facts)
    write_report(found, options.out.parent)
    print(f"plots: {', '.join(str(path) for path in plots.draw(found, options.out.parent))}")
    return found


def write_report(found: dict[str, Any], folder: Path) -> None:
    """Write quality.json and quality.md."""
    from .report import markdown

    text = markdown(found)
    (folder / "quality.json").write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    (folder / "quality.md").write_text(text)
    print(text)
    print(f"report: {folder / 'quality.json'}, {folder / 'quality.md'}")


def parse_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line of `build.py bench quality`."""
    parser = argparse.ArgumentParser(prog="build.py bench quality", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=240, help="clips of 7 s (default: %(default)s)")
    parser.add_argument("--systems", help="names separated by commas (default: all); noisy is always among them")
    parser.add_argument("--seed", type=int, default=1, help="of the test set (default: %(default)s)")
    parser.add_argument("--float-count", type=int, default=60, help="clips for the slow float reference")
    parser.add_argument("--visqol", type=int, default=20, help="clips for ViSQOL, 3 s each (default: %(default)s)")
    parser.add_argument("--cache", type=Path, default=ROOT / "data" / "cache", help="decoded corpus")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "quality", help="working folder")
    parser.add_argument("--peers", type=Path, default=ROOT / "build" / "bench" / "peers", help="the peers' packages")
    parser.add_argument("--processes", type=int, default=min(os.cpu_count() or 1, 8), help="at once")
    parser.add_argument("--offline", action="store_true", help="install nothing")
    options = parser.parse_args(words)
    if options.count < 1 or options.processes < 1:
        parser.error("--count and --processes want at least 1")
    return options


def main() -> int:
    """Known errors become one line."""
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    options = parse_arguments()
    from sordino.train.corpus import CorpusError

    try:
        compare(options)
    except (CorpusError, ValueError) as error:
        print(f"bench quality: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
