"""Command: `sordino corpus OUT FOLDER...` indexes folders of recordings for training."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from .free import entries, fetch, read_list
from .index import Summary, index
from .manifest import KINDS, SPLITS, CorpusError

SHOWN = 10


def corpus(
    out: Annotated[Path, typer.Argument(help="Folder that gets manifest.csv.")],
    folders: Annotated[list[Path] | None, typer.Argument(help="Recordings in a known layout; see below.")] = None,
    speech: Annotated[
        list[Path] | None, typer.Option(help="Folder of clean speech, a folder per speaker in it.")
    ] = None,
    noise: Annotated[list[Path] | None, typer.Option(help="Folder of noise without voices.")] = None,
    music: Annotated[list[Path] | None, typer.Option(help="Folder of music.")] = None,
    rir: Annotated[list[Path] | None, typer.Option(help="Folder of room impulse responses.")] = None,
    valid: Annotated[float, typer.Option(min=0, max=0.5, help="Share of speakers kept for choosing.")] = 0.1,
    test: Annotated[float, typer.Option(min=0, max=0.5, help="Share of speakers kept for reporting.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Of the splits.")] = 1,
    free: Annotated[
        Path | None,
        typer.Option(help="Also get the free recordings of some Debian packages and repositories, into this folder."),
    ] = None,
    check_voices: Annotated[
        bool, typer.Option("--check-voices", help="Leave out noise in which our own model hears speech.")
    ] = False,
    licence: Annotated[str, typer.Option(help="Of all these recordings, as a note in the manifest.")] = "",
    strict: Annotated[bool, typer.Option("--strict", help="Fail where a file cannot be used.")] = False,
) -> None:
    """Index folders of recordings: measure them, leave out what is unfit, keep speakers and sources in one split.

    Layouts that are known: our manifest.csv, DNS-Challenge, VCTK, VoiceBank+DEMAND, LibriTTS, LibriSpeech, MUSAN,
    DEMAND, and any folder with folders called speech, noise, music and rir.
    """
    by_kind = {"speech": speech, "noise": noise, "music": music, "rir": rir}
    console = Console(stderr=True)
    given = [(f, "") for f in folders or []] + [(f, kind) for kind in KINDS for f in by_kind[kind] or []]
    if not given and not free:
        raise CorpusError("no folder given; name one, or use --speech, --noise, --music, --rir or --free")
    say = partial(console.print, markup=False, highlight=False, soft_wrap=True)
    further = entries(fetch(read_list(), free, say), free) if free else []
    with _progress(console) as progress:
        found = index(given, out, valid, test, seed, licence, progress, say, further, check_voices)
    _show(found, out, console)
    print(out / "manifest.csv")
    if strict and found.problems:
        raise CorpusError(f"{len(found.problems)} files cannot be used, see {out / 'problems.txt'}")


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; gives what is to be called with the files done and the files in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("measuring", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _show(found: Summary, out: Path, console: Console) -> None:
    """Print the hours of each kind and split, then the first files that were left out and why."""
    table = Table("hours", *SPLITS)
    for kind, hours in found.hours.items():
        table.add_row(kind, *(f"{hours.get(split, 0):.2f}" for split in SPLITS))
    table.add_row("speakers", *(str(found.speakers.get(split, 0)) for split in SPLITS))
    Console().print(table)
    for line in found.problems[:SHOWN]:
        console.print(f"left out: {line}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if len(found.problems) > SHOWN:
        console.print(f"and {len(found.problems) - SHOWN} more, see {out / 'problems.txt'}", highlight=False)
