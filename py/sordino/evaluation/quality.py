"""Quality: runs the comparison with the peers; `sordino develop quality` calls it.

A run that was interrupted goes on, and a run after a change does again only what the change concerns.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import report, strangers
from .comparison import Comparison, Place, seeded_set, workers
from .options import ClipOptions
from .peers import install
from .strangers import Strangers
from .systems import CLEAN, NOISY, PEERS, Package, System, find_system, shipped_systems
from .testset import SECONDS
from .traits import languages, traits_of

VISQOL_PACKAGES = (("visqol-python", "3.8.0"), ("ai-edge-litert", "2.3.0"))


@dataclass(frozen=True)
class Options(ClipOptions):
    """What is compared.

    systems      names separated by commas; None: all
    float_count  clips for the slow float reference
    visqol       clips for ViSQOL, 3 s each
    peers        folder of the peers' packages
    offline      install nothing
    strangers    sets of voices that no model has met
    """

    systems: str | None
    float_count: int
    visqol: int
    peers: Path
    offline: bool
    strangers: Strangers


def choose(names: str | None, float_clips: int) -> list[System]:
    """The systems named, the noisy input first; every peer and shipped model when none is named."""
    if not names:
        return [NOISY, *PEERS, *shipped_systems(float_clips)]
    wanted = [name.strip() for name in names.split(",")]
    return [NOISY, *(find_system(name) for name in dict.fromkeys(wanted) if name != NOISY.name)]


def compare(options: Options) -> dict[str, Any]:
    """Run the comparison and write its report.

    returns  what is in quality.json
    raises   CorpusError, ValueError, FileNotFoundError
    """
    from . import plots

    systems = choose(options.systems, options.float_count)
    missing: dict[str, str] = {}
    visqol = options.visqol
    if visqol:
        reasons = [install(Package("pypi", *package), options.peers) for package in VISQOL_PACKAGES]
        if any(reasons):
            missing["ViSQOL"], visqol = " ".join(filter(None, reasons)), 0
    clips = seeded_set(options.out, options.cache, options.split, options.seed, options.count)
    with workers(options.at_once()) as pool:
        place = Place(options.out, options.peers, options.at_once(), options.offline)
        clean = [] if CLEAN in [system.name for system in systems] else [find_system(CLEAN)]
        results, left_out = Comparison(clips, place, pool).all([*systems, *clean], visqol)
        others = strangers.compare(options.strangers, options, systems, place, pool)
    ratings = report.clean_ratings(results)
    results = [result for result in results if result.system not in clean]
    facts = {"set": clips.key, "seconds": SECONDS, "parts": [case.part for case in clips.cases]}
    voices = traits_of(clips.folder, clips.cases, languages(options.cache, options.split))
    found = report.collect(results, clips.cases, missing | left_out, facts, ratings=ratings, voices=voices)
    found["strangers"] = others
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
