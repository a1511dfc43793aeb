"""Folders: clean recordings and what systems made of their noisy versions go in, means of all scores come out."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import soundfile
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from sordino.params import SAMPLE_RATE

from .measures import find_lag, shift
from .report import MAIN
from .running import MOST_LAG
from .scoring import score_pair
from .statistics import Scores, Summary, summarise
from .testset import Case

SUFFIXES = (".wav", ".flac", ".ogg")
Signal = NDArray[np.float32]


class FolderError(ValueError):
    """The folders do not fit together; the message says where."""


def by_name(folder: Path) -> dict[str, Path]:
    """Sound files of a folder by their path in it without the suffix.

    raises  FolderError if there is no such folder, no sound in it, or two files of one name
    """
    if not folder.is_dir():
        raise FolderError(f"no folder {folder}")
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise FolderError(f"{path} and {found[name]} have the same name")
        found[name] = path
    if not found:
        raise FolderError(f"{folder} holds no sound files ({', '.join(SUFFIXES)})")
    return found


def read(path: Path) -> Signal:
    """A recording at 48 kHz, channels averaged. Raises FolderError if it cannot be read or is empty."""
    import soxr

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise FolderError(f"{path}: {error.error_string}") from error
    if not len(samples):
        raise FolderError(f"{path} is empty")
    return soxr.resample(samples.mean(1), rate, SAMPLE_RATE).astype(np.float32)


def score_folder(clean: dict[str, Path], folder: Path, align: bool, progress: Callable[[], None]) -> Scores:
    """Score every clean recording's partner.

    clean     as by_name returns it
    folder    partners of the same names
    align     undo the lag of each partner, up to 200 ms
    progress  called after each
    raises    FolderError if a partner is missing or cannot be read
    """
    found = by_name(folder)
    missing = sorted(clean.keys() - found.keys())
    if missing:
        raise FolderError(f"{folder} lacks {len(missing)} of {len(clean)} recordings, for example {missing[0]}")
    scores: Scores = {}
    for index, (name, path) in enumerate(clean.items()):
        reference, judged = read(path), read(found[name])
        judged = shift(judged, find_lag(reference, judged, MOST_LAG) if align else 0, len(reference))
        scores[index] = score_pair(_case(index, name), judged, reference, judged)
        progress()
    return scores


def _case(index: int, name: str) -> Case:
    return Case(index, "plain", "", 0.0, 0.0, 0.0, SAMPLE_RATE / 2, (name,))


def score_folders(clean: Path, folders: list[Path], align: bool, progress: Callable[[], None]) -> dict[str, Summary]:
    """Means and intervals of every folder against the clean one, by folder."""
    references = by_name(clean)
    cases = [_case(index, name) for index, name in enumerate(references)]
    found = {str(folder): summarise(score_folder(references, folder, align, progress), cases) for folder in folders}
    hidden = ("pause_reduction_db", "onsets_heard")  # these need the noisy recording, or its ratio
    return {name: {k: v for k, v in summary.items() if k not in hidden} for name, summary in found.items()}


def score(
    clean: Annotated[Path, typer.Argument(help="Folder of clean recordings.")],
    folders: Annotated[list[Path], typer.Argument(help="Folders of the same names: noisy, denoised, ...")],
    align: Annotated[bool, typer.Option(help="Undo a lag of up to 200 ms.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Score recordings against clean ones: PESQ, STOI, ESTOI, SI-SDR, DNSMOS, log-spectral distance."""
    absent = [name for name in ("pesq", "pystoi", "speechmos", "onnxruntime") if importlib.util.find_spec(name) is None]
    if absent:
        raise FolderError(f"not installed: {', '.join(absent)}; run `pip install 'sordino[eval]'`")
    total = len(by_name(clean)) * len(folders)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("scoring", total=total)
        found = score_folders(clean, folders, align, lambda: bar.advance(task))
    if as_json:
        print(json.dumps(found, indent=2))
        return
    Console().print(_table(found))


def _table(found: dict[str, Any]) -> Table:
    shown = {metric: facts for metric, facts in MAIN.items() if any(metric in s for s in found.values())}
    table = Table("", *(heading for heading, _ in shown.values()), "files")
    for name, summary in found.items():
        cells = [f"{summary[m]['mean']:.{digits}f}" if m in summary else "" for m, (_, digits) in shown.items()]
        table.add_row(name, *cells, str(max(value["clips"] for value in summary.values())))
    return table
