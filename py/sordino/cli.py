"""The command line: sordino denoise | export | train | evaluate."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

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


def main() -> Any:
    """Entry point: known errors become one line on stderr and exit code 1."""
    try:
        return app()
    except (ModelError, EngineError, ValueError, OSError) as error:
        console.print(f"sordino: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
