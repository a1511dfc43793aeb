"""Quality: runs the comparison with the peers; `python3 build.py bench quality` calls it.

A run that was interrupted goes on, and a run after a change does again only what the change concerns.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from . import report
from .comparison import Comparison, Place, seeded_set, workers
from .options import BENCH, run
from .options import parser as command_line
from .peers import install
from .systems import CLEAN, NOISY, PEERS, Package, System, find_system, shipped_systems
from .testset import SECONDS

VISQOL_PACKAGES = (("visqol-python", "3.8.0"), ("ai-edge-litert", "2.3.0"))


def choose(names: str | None, float_clips: int) -> list[System]:
    """The systems named, the noisy input first; every peer and shipped model when none is named."""
    if not names:
        return [NOISY, *PEERS, *shipped_systems(float_clips)]
    wanted = [name.strip() for name in names.split(",")]
    return [NOISY, *(find_system(name) for name in dict.fromkeys(wanted) if name != NOISY.name)]


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Run the comparison and write its report.

    options  as parse_arguments returns them
    returns  what is in quality.json
    """
    from . import plots

    systems = choose(options.systems, options.float_count)
    missing: dict[str, str] = {}
    if options.visqol:
        reasons = [install(Package("pypi", *package), options.peers) for package in VISQOL_PACKAGES]
        if any(reasons):
            missing["ViSQOL"], options.visqol = " ".join(filter(None, reasons)), 0
    clips = seeded_set(options.out, options.cache, options.split, options.seed, options.count)
    with workers(options.processes) as pool:
        place = Place(options.out, options.peers, options.processes, options.offline)
        clean = [] if CLEAN in [system.name for system in systems] else [find_system(CLEAN)]
        results, left_out = Comparison(clips, place, pool).all([*systems, *clean], options.visqol)
    ratings = report.clean_ratings(results)
    results = [result for result in results if result.system not in clean]
    facts = {"set": clips.key, "seconds": SECONDS, "parts": [case.part for case in clips.cases]}
    found = report.collect(results, clips.cases, missing | left_out, facts, ratings=ratings)
    write_report(found, options.out.parent)
    print(f"plots: {', '.join(str(path) for path in plots.draw(found, options.out.parent))}")
    return found


def write_report(found: dict[str, Any], folder: Path) -> None:
    """Write quality.json and quality.md."""
    text = report.markdown(found)
    (folder / "quality.json").write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    (folder / "quality.md").write_text(text)
    print(text)
    print(f"report: {folder / 'quality.json'}, {folder / 'quality.md'}")


def parse_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line of `build.py bench quality`."""
    parser = command_line("quality", __doc__, count=240, split="test")
    parser.add_argument("--systems", help="names separated by commas, see `sordino evaluate --help` (default: all)")
    parser.add_argument("--float-count", type=int, default=60, help="clips for the slow float reference")
    parser.add_argument("--visqol", type=int, default=20, help="clips for ViSQOL, 3 s each (default: %(default)s)")
    parser.add_argument("--peers", type=Path, default=BENCH / "peers", help="the peers' packages")
    parser.add_argument("--offline", action="store_true", help="install nothing")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(run("quality", lambda: compare(parse_arguments())))
