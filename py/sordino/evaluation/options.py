"""Options: what the benchmarks of sound have in common on their command lines, and how they end."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from sordino.data.manifest import CorpusError

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "build" / "bench"


def parser(name: str, document: str, count: int, split: str) -> argparse.ArgumentParser:
    """A parser that knows the clips, the folders and how many processes.

    name      after `build.py bench`
    document  of the module; its first line is shown
    count     clips by default
    split     of the corpus by default
    """
    found = argparse.ArgumentParser(prog=f"build.py bench {name}", description=document.split("\n", 1)[0])
    at_once = min(len(os.sched_getaffinity(0)), 8)
    found.add_argument("--count", type=_positive, default=count, help="clips of 7 s (default: %(default)s)")
    found.add_argument("--split", default=split, help="of the corpus (default: %(default)s)")
    found.add_argument("--seed", type=int, default=1, help="of everything drawn (default: %(default)s)")
    found.add_argument("--cache", type=Path, default=ROOT / "data" / "cache", help="decoded corpus")
    found.add_argument("--out", type=Path, default=BENCH / name, help="working folder (default: %(default)s)")
    found.add_argument("--processes", type=_positive, default=at_once, help="at once (default: %(default)s)")
    return found


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{value}, wanted at least 1")
    return value


def run(name: str, work: Callable[[], object]) -> int:
    """Do the work; known errors become one line and status 1, an interruption one line and status 130."""
    try:
        work()
    except (CorpusError, ValueError, FileNotFoundError) as error:
        print(f"bench {name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nbench {name}: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 0
