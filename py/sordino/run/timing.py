"""Timing: functions go in, the processor time that each needs on one core comes out, taken in turns."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Timing:
    """What a system needed for a recording.

    seconds  length of the recording
    cpu_s    processor time of each repeat, over all threads of the process
    """

    seconds: float
    cpu_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """Processor time of the median repeat."""
        return statistics.median(self.cpu_s)

    @property
    def real_time_factor(self) -> float:
        """Seconds of processor time per second of sound; below 1 is faster than real time."""
        return self.median_s / self.seconds

    def ratio(self, other: Timing) -> float:
        """Median over the repeats, each against the other's of the same turn, of the cost per second of sound."""
        pairs = zip(self.cpu_s, other.cpu_s, strict=True)
        return statistics.median((mine / self.seconds) / (theirs / other.seconds) for mine, theirs in pairs)


@contextmanager
def one_core() -> Iterator[bool]:
    """Keep this thread, and those it starts, on one core; gives whether the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield True
    finally:
        os.sched_setaffinity(0, allowed)


def cpu_seconds(work: Work) -> float:
    """Processor time of one call, over all threads of the process."""
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turns(
    works: Mapping[str, tuple[Work, float]], repeats: int, tell: Callable[[int], object] = lambda turn: None
) -> dict[str, Timing]:
    """Time everything once per turn, so that a slow spell of the machine meets all alike.

    works    by name: the function and the seconds of sound it treats
    repeats  turns, >= 1
    tell     called before each turn with its number, from 0
    """
    if repeats < 1:
        raise ValueError(f"{repeats} repeats, wanted at least 1")
    found: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(repeats):
        tell(turn)
        for name, (work, _) in works.items():
            found[name].append(cpu_seconds(work))
    return {name: Timing(works[name][1], tuple(cpu_s)) for name, cpu_s in found.items()}
