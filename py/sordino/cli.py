"""The command line: sordino denoise | export | train | evaluate."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from .engines import ENGINES, MODELS, EngineError, find_model, open_engine
from .model import Model, ModelError
from .params import VERSION
from .pipeline import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Sordino: real-time speech noise suppression.")
console = Console(stderr=True)
EngineName = StrEnum("EngineName", {name: name for name in ENGINES})


def _show_version(wanted: bool) -> None:
    if wanted:
        print(VERSION)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Sordino: real-time speech noise suppression."""


@app.command()
def denoise(
    source: Annotated[Path, typer.Argument(help="Sound file: WAV, FLAC, OGG, ... any rate, any channel count.")],
    target: Annotated[Path, typer.Argument(help="Where the clean sound goes: .wav, .flac or .ogg.")],
    engine: Annotated[EngineName, typer.Option(help="What computes it.")] = EngineName.native,
    model: Annotated[str, typer.Option(help="Name, or path of an .onnx or .sordino file.")] = "standard",
    post_filter: Annotated[bool, typer.Option(help="Sharpen the gains.")] = True,
    attenuation_limit_db: Annotated[float, typer.Option(min=0, help="Attenuate by at most this; 0: no limit.")] = 0,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite the target.")] = False,
) -> None:
    """Clean a recording; the output is aligned with the input and as long."""
    from .audio import denoise_file

    if target.exists() and not force:
        raise FileExistsError(f"{target} exists; --force overwrites it")
    floor = 10 ** (-attenuation_limit_db / 20) if attenuation_limit_db else 0.0
    settings = Settings(post_filter, floor)
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(source.name, total=None)
        denoise_file(
            source,
            target,
            lambda: open_engine(engine.value, model, settings),
            lambda done, total: bar.update(task, completed=done, total=total),
        )


@app.command()
def export(
    models: Annotated[list[Path] | None, typer.Argument(help="ONNX models; all that ship, if none is named.")] = None,
    generate: Annotated[
        Path | None, typer.Option(help="The wasm/ folder: also write the generated C for all shipped models.")
    ] = None,
) -> None:
    """Quantise models into weight files beside them; with --generate, write the C for their shapes."""
    from .export.generate import write_generated
    from .export.weight_file import write_weights

    shipped = sorted(MODELS.glob("*.onnx"))
    for path in models or shipped:
        target = path.with_suffix(".sordino")
        print(f"{target}: {write_weights(Model.load(path), target):,} bytes")
    if generate:
        named = {p.stem: p for p in [*shipped, *(models or [])]}
        changed = write_generated([Model.load(p) for _, p in sorted(named.items())], generate)
        print(f"{generate / 'gen'}: " + (f"changed {', '.join(changed)}" if changed else "up to date"))


@app.command()
def info(model: Annotated[str, typer.Argument(help="Name, or path of an .onnx file.")] = "standard") -> None:
    """Say what a model is: shape, look-ahead, training record."""
    import json

    m = Model.load(find_model(model))
    print(json.dumps({**m.metadata(), "weights": m.shape.weight_count()}, indent=2))


@app.command()
def train(
    corpus: Annotated[Path, typer.Argument(help="Folder with manifest.csv, or the manifest itself.")],
    out: Annotated[Path, typer.Argument(help="Folder of the run: checkpoint, log, model.")],
    config: Annotated[str, typer.Option(help="tiny, standard, full, or the path of a .toml file.")] = "standard",
    cache: Annotated[Path, typer.Option(help="Folder for decoded clips.")] = Path("data/cache"),
    minutes: Annotated[float, typer.Option(min=0.1, help="Length of the whole run, earlier parts included.")] = 80,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the folder.")] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    seed: Annotated[int, typer.Option(help="Of weights and mixtures.")] = 1,
) -> None:
    """Train a model on your own recordings; needs `pip install sordino[train]`."""
    _need("torch", "train")
    import torch

    from .train.config import load_config
    from .train.checkpoint import load_checkpoint, to_model
    from .train.train import train as run

    chosen = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    run(load_config(config), corpus, cache, out, minutes, resume, chosen, seed)
    model = to_model(load_checkpoint(out / "last.pt"))
    model.save(out / f"{model.name}.onnx")
    print(f"{out / model.name}.onnx")


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="Name, or path of a model.")] = "standard",
    cache: Annotated[Path, typer.Option(help="Folder of decoded clips, as made by training.")] = Path("data/cache"),
    split: Annotated[str, typer.Option(help="valid to choose, test to report.")] = "test",
    count: Annotated[int, typer.Option(min=1, help="Mixtures of 10 s.")] = 40,
    engine: Annotated[EngineName, typer.Option(help="What computes it.")] = EngineName.native,
    post_filter: Annotated[bool, typer.Option(help="Sharpen the gains.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Score a model on seeded mixtures: PESQ, ESTOI, SI-SDR, DNSMOS before and after; needs `sordino[train,eval]`."""
    _need("torch", "train")
    _need("pesq", "eval")
    from .train.listen import score_engine

    results = score_engine(lambda: open_engine(engine.value, model, Settings(post_filter)), cache, split, count, console)
    if as_json:
        import json

        print(json.dumps(results, indent=2))
        return
    table = Table("", *results["noisy"], title=f"{model} ({engine.value}), {count} mixtures of {split}")
    for row, scores in results.items():
        table.add_row(row, *(f"{value:.3f}" for value in scores.values()))
    Console().print(table)


def _need(module: str, extra: str) -> None:
    import importlib.util

    if importlib.util.find_spec(module) is None:
        raise EngineError(f"{module} is not installed; run `pip install 'sordino[{extra}]'`")


def main() -> Any:
    """Entry point: known errors become one line on stderr and exit code 1."""
    try:
        return app()
    except (ModelError, EngineError, ValueError, OSError) as error:
        console.print(f"sordino: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
