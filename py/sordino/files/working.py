"""The work on many files: what is made already, what became of each, several cores at once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .audio import Treatment, TruncatedError, denoise_file
from .batch import Job
from .provenance import note, recall, settings_key, stamp
from .reading import open_sound

Progress = Callable[[Path, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What became of a job: status is "done", "skipped", "cut" (made from what there is of its source) or "failed"."""

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


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    jobs: list[Job], treatment: Treatment, workers: int, force: bool, resume: bool, progress: Progress
) -> list[Outcome]:
    """Do all jobs, on as many threads as said; a file that fails leaves the others alone.

    force     replace existing targets
    resume    keep targets that were made of their sources as they are now, with this treatment; make anew what was made
              otherwise; without it and without force existing targets fail, as what nothing is known of always does
    progress  called from the threads with (source, frames done, frames in all)
    returns   outcomes in the order of the jobs
    raises    KeyboardInterrupt, after every thread has ended and removed what it had begun
    """
    stop, settings = threading.Event(), settings_key(treatment)

    def work(job: Job) -> Outcome:
        return _do(job, treatment, settings, force, resume, progress, stop)

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
    job: Job,
    treatment: Treatment,
    settings: str,
    force: bool,
    resume: bool,
    progress: Progress,
    stop: threading.Event,
) -> Outcome:
    frames = 0

    def report(done: int, total: int) -> None:
        nonlocal frames
        if stop.is_set():
            raise Interrupted
        frames = done
        progress(job.source, done, total)

    start, fault = time.monotonic(), None
    names = str(job.source), str(job.target)
    try:
        existed = resume and job.target.exists()
        if existed and not force:
            kept = _kept(job, settings)
            if kept:
                return kept
        if job.make_folder:
            job.target.parent.mkdir(parents=True, exist_ok=True)
        source = stamp(job.source) if job.source.exists() else (0, 0)
        try:
            denoise_file(job.source, job.target, treatment, report, overwrite=force or existed)
        except TruncatedError as error:
            fault = str(error)
        note(job.target, source, settings, fault)
        length = frames / _rate(job.target)
    except Exception as error:  # whatever is wrong with one file, the others are done
        return Outcome(*names, "failed", str(error) or type(error).__name__, 0.0, time.monotonic() - start)
    return Outcome(*names, "cut" if fault else "done", fault, length, time.monotonic() - start)


def _rate(path: Path) -> int:
    sound = open_sound(path)
    try:
        return sound.format.rate
    finally:
        sound.close()


def _kept(job: Job, settings: str) -> Outcome | None:
    """The outcome where a target is to stay as it is; None where it is to be made anew, for it was made otherwise."""
    names = str(job.source), str(job.target)
    record = recall(job.target)
    if record is None:
        message = f"{job.target} exists but {_unlike(job)}; --force makes it anew"
        return Outcome(*names, "failed", message)
    if (record.source, record.settings) != (stamp(job.source), settings):
        return None
    return Outcome(*names, "cut" if record.fault else "skipped", record.fault)


def _unlike(job: Job) -> str:
    """What speaks against a target of which nothing is known."""
    lengths = []
    for path in (job.source, job.target):
        sound = open_sound(path)
        try:
            lengths.append(sum(block.shape[1] for block in sound.blocks()) / sound.format.rate)
        finally:
            sound.close()
    if abs(lengths[0] - lengths[1]) > 1e-3:
        return "is not as long as its source"
    return "has been changed since, or was not made by this command"
