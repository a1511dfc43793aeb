"""Options: what the benchmarks of sound have in common, and what an interrupted one says."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

MOST_PROCESSES = 8


@dataclass(frozen=True)
class ClipOptions:
    """Which clips are scored, and where.

    out        working folder: clips, scores, report
    cache      decoded corpus
    split      of the corpus: train, valid or test
    count      clips of 7 s
    seed       of everything drawn
    processes  at once; 0: one per core, 8 at most
    """

    out: Path
    cache: Path
    split: str
    count: int
    seed: int
    processes: int

    def at_once(self) -> int:
        """How many processes work at the same time."""
        return self.processes or min(len(os.sched_getaffinity(0)), MOST_PROCESSES)


@contextlib.contextmanager
def resumable(name: str) -> Iterator[None]:
    """Say on interruption that the same command goes on from where it stopped. raises  KeyboardInterrupt"""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\n{name}: stopped; the same command goes on from here", file=sys.stderr)
        raise


def check_folders(clean: Path | None, noisy: Path | None) -> None:
    """raises typer.BadParameter for one folder of pairs without the other"""
    if (clean is None) != (noisy is None):
        raise typer.BadParameter("wanted both folders or none", param_hint="--clean, --noisy")
