"""`sordino develop quality | echo | ablation`: benchmarks of sound; `build.py bench` installs what they need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import check_folders, resumable

Count = Annotated[int, typer.Option(min=1, help="Clips of 7 s.")]
Split = Annotated[str, typer.Option(help="Of the corpus: valid to choose, test to report.")]
Seed = Annotated[int, typer.Option(help="Of everything drawn.")]
Cache = Annotated[Path, typer.Option(help="Decoded corpus, as made by training.")]
Out = Annotated[Path, typer.Option(help="Working folder.")]
Processes = Annotated[int, typer.Option(min=0, help="At once; 0: one per core, 8 at most.")]
CACHE, BENCH = Path("data/cache"), Path("build/bench")
SENTENCES = "/(libri|so762|an4)/"


def quality(
    systems: Annotated[str | None, typer.Option(help="Separated by commas, as of evaluate; default: all.")] = None,
    count: Count = 240,
    split: Split = "test",
    seed: Seed = 1,
    cache: Cache = CACHE,
    out: Out = BENCH / "quality",
    processes: Processes = 0,
    float_count: Annotated[int, typer.Option(help="Clips for the slow float reference.")] = 60,
    visqol: Annotated[int, typer.Option(help="Clips for ViSQOL, 3 s each.")] = 20,
    peers: Annotated[Path, typer.Option(help="The peers' packages.")] = BENCH / "peers",
    offline: Annotated[bool, typer.Option("--offline", help="Install nothing.")] = False,
    clean: Annotated[Path | None, typer.Option(help="Folder of clean recordings of real pairs.")] = None,
    noisy: Annotated[Path | None, typer.Option(help="Folder of their noisy ones, of the same names.")] = None,
    sentences: Annotated[str, typer.Option(help="Pattern of paths of read sentences in the corpus.")] = SENTENCES,
    sentence_count: Annotated[int, typer.Option(min=1, help="Mixtures of read sentences.")] = 60,
) -> None:
    """Compare the shipped models with the peers; writes quality.json, quality.md and plots.

    Real pairs and read sentences of speakers that no model has met have parts of their own, before the test split.
    """
    from .quality import Options, compare
    from .strangers import Strangers

    check_folders(clean, noisy)
    clips = (out.resolve(), cache, split, count, seed, processes)
    others = Strangers(clean, noisy, sentences, sentence_count)
    options = Options(*clips, systems, float_count, visqol, peers.resolve(), offline, others)
    with resumable("quality"):
        compare(options)


def echo(
    count: Annotated[int, typer.Option(min=1, help="Scenes of 10 s.")] = 64,
    split: Split = "test",
    seed: Seed = 1,
    cache: Cache = CACHE,
    out: Out = BENCH / "echo",
    processes: Processes = 0,
    peers: Annotated[Path, typer.Option(help="The peers' packages.")] = BENCH / "peers",
    offline: Annotated[bool, typer.Option("--offline", help="Install nothing.")] = False,
) -> None:
    """Compare the echo control with others'; writes echo.json, echo.md and echo.png."""
    from .echo import Options, compare

    compare(Options(out.resolve(), cache, split, count, seed, processes, peers.resolve(), offline))


def ablation(
    model: Annotated[str, typer.Argument(help="Name or path.")] = "standard",
    only: Annotated[str | None, typer.Option(help="Parts of names, separated by commas.")] = None,
    table: Annotated[Path | None, typer.Option(help="Variations; default: those that come with Sordino.")] = None,
    train: Annotated[Path | None, typer.Option(metavar="CORPUS", help="Also vary the training, on this.")] = None,
    config: Annotated[str, typer.Option(help="What is trained.")] = "standard",
    minutes: Annotated[float, typer.Option(help="Of each training.")] = 5.0,
    steps: Annotated[int, typer.Option(help="Of each training, instead of minutes.")] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    count: Count = 40,
    split: Split = "valid",
    seed: Seed = 1,
    cache: Cache = CACHE,
    out: Out = BENCH / "ablation",
    processes: Processes = 0,
) -> None:
    """Score what each setting is worth; writes ablation.json, ablation.md and ablation.png."""
    from .ablation import TABLE, Options, ablate

    clips = (out.resolve(), cache, split, count, seed, processes)
    with resumable("ablation"):
        ablate(Options(*clips, model, only, table or TABLE, train, config, minutes, steps, device))
