"""Many files at once: what is to be made from what, what is made already, and the work on several cores."""

from __future__ import annotations

import glob
import os
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import soundfile

from .audio import OUTPUT_FORMATS, AudioError, Treatment, denoise_file, open_input

SOUND_SUFFIXES = frozenset(f".{name.lower()}" for name in soundfile.available_formats() if name != "RAW") | {
    ".aif",
    ".oga",
    ".opus",
}
"""What is taken from a folder; a file that is named itself may end in anything."""

Progress = Callable[[Path, int, int], None]


@dataclass(frozen=True)
class Job:
    """One file to make; make_folder: also the folder it goes into."""

    source: Path
    target: Path
    make_folder: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a job: status is "done", "skipped" or "failed"."""

    source: str
    target: str
    status: str
    error: str | None = None
    audio_seconds: float = 0.0
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Interrupted(Exception):
    """The work was called off."""


def plan(sources: Iterable[str | Path], target: Path) -> list[Job]:
    """Which files are made from which.

    sources  files, folders (searched to the bottom) and glob patterns
    target   the file for a single source file; for everything else a folder, made where it is missing
    raises   FileNotFoundError for a source that does not exist, AudioError where two results would have one name
    """
    sources = list(sources)
    only = Path(sources[0]) if len(sources) == 1 else None
    if only and not only.is_dir() and not target.is_dir() and not _is_pattern(sources[0]):
        return [Job(only, target)]
    if target.exists() and not target.is_dir():
        raise AudioError(f"{target} is a file, wanted a folder for the results of several files")
    if not target.exists() and target.suffix.lower() in OUTPUT_FORMATS:
        raise AudioError(f"{target} names one file, wanted a folder for the results of several files")
    jobs = [Job(file, target / _result_name(name), True) for s in sources for file, name in _find(s, target)]
    if not jobs:
        raise FileNotFoundError(f"no sound files in {', '.join(map(str, sources))}")
    taken: dict[Path, Path] = {}
    for job in jobs:
        other = taken.setdefault(job.target.absolute(), job.source)
        if other.absolute() != job.source.absolute():
            raise AudioError(f"{other} and {job.source} would both become {job.target}")
        if job.target.exists() and job.target.samefile(job.source):
            raise AudioError(f"{job.target} is the source itself, wanted another folder")
    return list({job.target: job for job in jobs}.values())


def _is_pattern(source: str | Path) -> bool:
    return glob.has_magic(str(source)) and not Path(source).exists()


def _find(source: str | Path, target: Path) -> list[tuple[Path, Path]]:
    """(file, its path below the target), sorted."""
    path = Path(source)
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in SOUND_SUFFIXES and p.is_file())
        kept = [p for p in inside if not p.name.startswith(".") and target.absolute() not in p.absolute().parents]
        return [(p, p.relative_to(path)) for p in kept]
    if _is_pattern(source):
        found = sorted(p for p in map(Path, glob.glob(str(source), recursive=True)) if p.is_file())
        if not found:
            raise FileNotFoundError(f"no file matches {source}")
        return [(p, Path(p.name)) for p in found]
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    return [(path, Path(path.name))]


def _result_name(relative: Path) -> Path:
    return relative if relative.suffix.lower() in OUTPUT_FORMATS else relative.with_suffix(".wav")


def refuse_existing(jobs: list[Job]) -> None:
    """Raises FileExistsError, before anything is done, where a target exists."""
    existing = [job.target for job in jobs if job.target.exists()]
    if len(jobs) == 1 and existing:
        raise FileExistsError(f"{existing[0]} exists; --force overwrites it")
    if existing:
        hint = "--resume keeps what is complete, --force makes all anew"
        raise FileExistsError(f"{len(existing)} of {len(jobs)} targets exist, such as {existing[0]}; {hint}")


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    jobs: list[Job], treatment: Treatment, workers: int, force: bool, resume: bool, progress: Progress
) -> list[Outcome]:
    """Do all jobs, on as many threads as said; a file that fails leaves the others alone.

    force     replace existing targets
    resume    leave targets alone that are as long as their source; without it and without force they fail
    progress  called from the threads with (source, frames done, frames in all)
    returns   outcomes in the order of the jobs
    raises    KeyboardInterrupt, after every thread has ended and removed what it had begun
    """
    stop = threading.Event()

    def work(job: Job) -> Outcome:
        return _do(job, treatment, force, resume, progress, stop)

    with ThreadPoolExecutor(max(1, workers)) as pool:
        futures = [pool.submit(work, job) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _do(
    job: Job, treatment: Treatment, force: bool, resume: bool, progress: Progress, stop: threading.Event
) -> Outcome:
    def report(done: int, total: int) -> None:
        if stop.is_set():
            raise Interrupted
        progress(job.source, done, total)

    start, length = time.monotonic(), 0.0
    try:
        if resume and not force and job.target.exists():
            return _skip(job)
        if job.make_folder:
            job.target.parent.mkdir(parents=True, exist_ok=True)
        denoise_file(job.source, job.target, treatment, report, overwrite=force)
        info = soundfile.info(job.target)
        length = info.frames / info.samplerate
        status, message = "done", None
    except (Interrupted, ValueError, OSError, RuntimeError) as error:
        status, message = "failed", str(error) or type(error).__name__
    return Outcome(str(job.source), str(job.target), status, message, length, time.monotonic() - start)


def _skip(job: Job) -> Outcome:
    """A target that exists: skipped where it is the whole of its source, else failed."""
    try:
        with open_input(job.source) as source, open_input(job.target) as made:
            whole = (source.frames, source.samplerate, source.channels) == (made.frames, made.samplerate, made.channels)
    except (ValueError, OSError) as error:
        return Outcome(str(job.source), str(job.target), "failed", str(error))
    if whole:
        return Outcome(str(job.source), str(job.target), "skipped")
    message = f"{job.target} exists but is not as long as its source; --force makes it anew"
    return Outcome(str(job.source), str(job.target), "failed", message)
