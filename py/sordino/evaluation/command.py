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

from .options import check_folders

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
    check_folders(clean, noisy)
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
    """Print what report.collect returns: a row per system, a column per measure, in tables that fit the terminal."""
    from .report import HARM, MAIN

    console = Console()
    systems = found["systems"]
    measures = [*(("noisy", metric, *MAIN[metric]) for metric in MAIN), *HARM]
    rows = {name: {of[2]: _cell(s[of[0]], of) for of in measures} for name, s in systems.items()}
    for part in next(iter(systems.values()))["onsets_by_part"]:
        for name, s in systems.items():
            kept = s["onsets_by_part"].get(part, {})
            rows[name][f"onsets kept, {part}"] = _cell(kept, ("", "onsets_heard", "", 2))
    _print(console, f"{len(found['parts'])} clips of {found['set']}", rows)
    _print_differences(
        console, "differences on the same clips; *: the 95 % interval does not hold 0", found["differences"]
    )
    good = {name: system["by_recording"].get("good recordings", {}) for name, system in systems.items()}
    rows = {
        name: {text: _cell(of, ("", metric, text, digits)) for metric, (text, digits) in MAIN.items()}
        for name, of in good.items()
    }
    _print(console, "plain clips of good recordings", rows)
    _print_differences(console, "differences on these", found["differences_good"])
    for name, reason in found["missing"].items():
        console.print(f"{name}: {reason}", markup=False)


def _cell(summary: dict[str, Any], of: tuple[str, str, str, int]) -> str:
    from .report import cell

    return cell(summary, of[1], of[3])


def _print_differences(console: Console, title: str, differences: dict[str, Any]) -> None:
    """A row per pair, a column per measure."""
    from .report import heading
    from .statistics import COMPARED

    rows = {
        pair: {heading(metric)[0]: _change(found, metric) for metric in COMPARED} for pair, found in differences.items()
    }
    _print(console, title, rows)


def _change(found: dict[str, Any], metric: str) -> str:
    """A mean difference with half its interval, starred where that does not hold 0 and rests on enough clips."""
    from .report import heading
    from .statistics import sure

    value = found.get(metric)
    if not value:
        return ""
    digits = max(heading(metric)[1], 2)
    half = (value["high"] - value["low"]) / 2
    return f"{value['mean']:+.{digits}f} ±{half:.{digits}f}{'*' if sure(value) else ''}"


_NAME_WIDTH, _BORDERS = 22, 3


def _print(console: Console, title: str, rows: dict[str, dict[str, str]]) -> None:
    """Tables of the columns that hold anything, as many beside each other as fit the terminal."""
    columns = list(dict.fromkeys(heading for row in rows.values() for heading, text in row.items() if text))
    while columns:
        some = _that_fit(columns, rows, console.width)
        columns = columns[len(some) :]
        table = Table(title=title, title_justify="left")
        table.add_column("", overflow="fold", max_width=_NAME_WIDTH)
        for heading in some:
            table.add_column(heading)
        for name, row in rows.items():
            table.add_row(name, *(Text(row.get(heading, "")) for heading in some))
        console.print(table)
        title = ""


def _that_fit(columns: list[str], rows: dict[str, dict[str, str]], width: int) -> list[str]:
    """The first columns, at least one, that fit a terminal: no cell is folded, headings are at their spaces."""
    left = width - min(_NAME_WIDTH, max(map(len, rows))) - _BORDERS - 1
    fit = 0
    for heading in columns:
        cells = [row.get(heading, "") for row in rows.values()]
        left -= max(map(len, [*cells, *heading.split()])) + _BORDERS
        if left < 0 and fit:
            break
        fit += 1
    return columns[:fit]
