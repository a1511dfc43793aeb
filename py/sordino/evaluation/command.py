"""`sordino evaluate`: models, peers, oracles or folders go in, their scores on the same clips come out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sordino.run.extras import need

if TYPE_CHECKING:
    from .comparison import ClipSet

NAMES = """\b
What can be named:
  MODEL[:WORD...]   a short name or the path of an .onnx, .sordino or .pt file
  a folder          of recordings that something else made of --noisy
  a peer            rnnoise-0.1, rnnoise-0.2, rnnoise-shiguredo, gtcrn, speex, webrtc-2, webrtc-4, dtln, nsnet2,
                    deepfilternet3; its package is installed into WORK/peers
  oracle-gains, oracle-comb   ideal gains, ideal gains and comb strengths: what the method can do at best
  oracle-clean      the clean recording itself: what the measures say of that; with it, the plain clips of recordings
                    that DNSMOS rates 3 or more are told by themselves too

\b
Words behind a model:
  int8, float                    arithmetic of the kernels (default), or of training
  sharp, strong, conservative    post-filter once, or twice; at most 15 dB
  limit=DB                       attenuate by at most this
  no-comb                        without the comb filter
  no-lift                        without the lift of words that begin
  without=energies|coherences|pitch   features held at their means
  look-ahead=N                   frames
  ideal=gains|strengths|all|none|low|middle|high|pauses|speech|onsets   what an oracle decides instead
"""
_NEEDED = ("matplotlib", "onnx", "onnxruntime", "pesq", "pystoi", "soxr", "speechmos")


_OF_MIXTURES = ("split", "count", "seed", "speed", "snr", "cache")
"""Options that folders of recordings leave no room for."""


def evaluate(
    context: typer.Context,
    systems: Annotated[
        list[str] | None, typer.Argument(metavar="SYSTEM...", help="See below; default: standard.")
    ] = None,
    split: Annotated[str, typer.Option(help="Of the corpus: valid to choose, test to report.")] = "test",
    count: Annotated[int, typer.Option(min=1, help="Mixtures of 7 s.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the mixtures.")] = 1,
    speed: Annotated[float, typer.Option(help="Of every voice: 0.65 makes it large and deep, 1.5 small.")] = 1.0,
    snr: Annotated[float | None, typer.Option(help="Of every noisy mixture, dB; else -5 to 20.")] = None,
    cache: Annotated[Path, typer.Option(help="Decoded corpus, as made by training.")] = Path("data/cache"),
    clean: Annotated[Path | None, typer.Option(help="Folder of clean recordings, instead of mixtures.")] = None,
    noisy: Annotated[Path | None, typer.Option(help="Folder of noisy ones of the same names.")] = None,
    work: Annotated[Path, typer.Option(help="Keeps clips and scores for the next time.")] = Path("data/evaluation"),
    processes: Annotated[int, typer.Option(min=0, help="At once; 0: one per core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Score systems on seeded mixtures or on folders of recordings; needs `sordino[eval]`, oracles `sordino[train]`."""
    need("eval", *_NEEDED)
    _check_folders(context, clean, noisy)
    from .comparison import ClipSet, seeded_set
    from .folders import folder_set

    if clean and noisy:
        clips = ClipSet(*folder_set(work, clean, noisy))
    else:
        clips = seeded_set(work, cache, split, seed, count, speed, snr)
    found = score(systems or ["standard"], clips, work, processes)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        show(found)


def _check_folders(context: typer.Context, clean: Path | None, noisy: Path | None) -> None:
    """raises typer.BadParameter for one folder without the other, or options of mixtures beside them"""
    if (clean is None) != (noisy is None):
        raise typer.BadParameter("wanted both folders or none", param_hint="--clean, --noisy")
    sources = {name: context.get_parameter_source(name) for name in _OF_MIXTURES}
    given = [f"--{name}" for name, source in sources.items() if source and source.name == "COMMANDLINE"]
    if clean and given:
        hint = ", ".join(given)
        raise typer.BadParameter("of seeded mixtures, not of folders of recordings", param_hint=hint)


def score(systems: list[str], clips: ClipSet, work: Path, processes: int = 0) -> dict[str, Any]:
    """Score systems on clips.

    systems    names; the first is compared with the noisy input, the others with the first
    clips      the set
    work       folder that keeps scores and the peers' packages
    processes  at once; 0: one per core
    returns    as report.collect
    raises     ValueError for an unknown name, FileNotFoundError
    """
    from .comparison import Comparison, Place, workers
    from .report import clean_ratings, collect
    from .systems import NOISY, find_system

    chosen = [NOISY, *map(find_system, dict.fromkeys(systems))]
    at_once = processes or len(os.sched_getaffinity(0))
    with workers(at_once) as pool:
        results, missing = Comparison(clips, Place(work, work / "peers", at_once), pool).all(chosen)
    parts = [case.part for case in clips.cases]
    first = next((r.system.name for r in results if r.system is not NOISY), NOISY.name)
    others = [r.system.name for r in results if r.system.name not in (first, NOISY.name)]
    pairs = [(first, NOISY.name), *((name, first) for name in others)] if first != NOISY.name else []
    facts = {"set": clips.key, "parts": parts}
    return collect(results, clips.cases, missing, facts, pairs, clean_ratings(results))


def show(found: dict[str, Any]) -> None:
    """Print what report.collect returns: a row per measure, a column per system."""
    from .report import HARM, MAIN, cell

    console = Console()
    systems = found["systems"]
    measures = [*(("noisy", metric, text, digits) for metric, (text, digits) in MAIN.items()), *HARM]
    rows = [
        [text, *(cell(s[where], metric, digits) for s in systems.values())] for where, metric, text, digits in measures
    ]
    for part in next(iter(systems.values()))["onsets_by_part"]:
        kept = [cell(s["onsets_by_part"].get(part, {}), "onsets_heard", 2) for s in systems.values()]
        rows.append([f"onsets kept, {part}", *kept])
    _print(console, f"{len(found['parts'])} clips of {found['set']}", list(systems), rows)
    _print_differences(console, "differences on the same clips, 95 % interval", found["differences"])
    good = [system["by_recording"].get("good recordings", {}) for system in systems.values()]
    rows = [[text, *(cell(of, metric, digits) for of in good)] for metric, (text, digits) in MAIN.items()]
    _print(console, "plain clips of good recordings", list(systems), rows)
    _print_differences(console, "differences on these", found["differences_good"])
    for name, reason in found["missing"].items():
        console.print(f"{name}: {reason}", markup=False)


def _print_differences(console: Console, title: str, differences: dict[str, Any]) -> None:
    """A row per measure, a column per pair."""
    from .report import difference, heading
    from .statistics import COMPARED

    rows = [[heading(metric)[0], *(difference(d, metric) for d in differences.values())] for metric in COMPARED]
    _print(console, title, list(differences), rows)


def _print(console: Console, title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table without the rows that hold nothing."""
    rows = [row for row in rows if any(row[1:])]
    if not rows:
        return
    table = Table(title=title, title_justify="left")
    for name in ("", *columns):
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
