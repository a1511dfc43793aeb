"""The command line: sordino denoise | compare | info | export | corpus | extras | train | evaluate | bench | develop.

The other commands stand in the folder whose work they do.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .chain.model import ModelError
from .chain.params import VERSION
from .data.command import corpus
from .evaluation.benchmarks import ablation, echo, quality
from .evaluation.command import NAMES, evaluate
from .files.command import EXIT_CODES, FAILED, SOME_FAILED, EngineName, complain, denoise
from .files.sound import TruncatedError
from .run.bench import bench
from .run.engines import MODELS, EngineError, find_model
from .run.extras import need
from .train.command import finish, train, unseen

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="Sordino: real-time speech noise suppression.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(VERSION)
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Sordino: real-time speech noise suppression."""


@app.command()
def compare(
    source: Annotated[Path, typer.Argument(help="Sound file.")],
    target: Annotated[Path, typer.Argument(help="The picture: .png, .svg or .pdf.")],
    model: Annotated[str, typer.Option(help="Name, or path of a model.")] = "standard",
    engine: Annotated[EngineName, typer.Option(help="What computes it.")] = EngineName.native,
    start: Annotated[float, typer.Option(min=0, help="Where the picture begins, in seconds.")] = 0,
    seconds: Annotated[float, typer.Option(min=0.1, max=600, help="How much it shows.")] = 20,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite the picture.")] = False,
) -> None:
    """Draw a recording before and after, with gains, pitch and speech probability; needs `sordino[plot]`."""
    from .files import picture

    need("plot", "matplotlib")
    if target.suffix.lower() not in picture.PICTURE_FORMATS:
        raise ValueError(f"the picture {target} ends in {target.suffix!r}, wanted {', '.join(picture.PICTURE_FORMATS)}")
    if target.exists() and not force:
        raise FileExistsError(f"{target} exists; --force overwrites it")
    story = picture.follow(picture.read_mono(source, start, seconds), model, engine.value)
    picture.draw(story, f"{source.name}, model {Path(model).stem}", target)


@app.command()
def export(
    models: Annotated[list[Path] | None, typer.Argument(help="ONNX models; all that ship, if none is named.")] = None,
    generate: Annotated[
        Path | None, typer.Option(help="The wasm/ folder: also write the generated C for all shipped models.")
    ] = None,
) -> None:
    """Quantise models into weight files beside them; with --generate, write the C for their shapes."""
    need("onnx", "onnx")
    from .formats.generate import write_generated
    from .formats.onnx import read_onnx
    from .formats.weight_file import write_weights

    shipped = sorted(MODELS.glob("*.onnx"))
    for path in models or shipped:
        target = path.with_suffix(".sordino")
        print(f"{target}: {write_weights(read_onnx(path), target):,} bytes")
    if generate:
        named = {p.stem: p for p in [*shipped, *(models or [])]}
        changed = write_generated([read_onnx(p) for _, p in sorted(named.items())], generate)
        print(f"{generate / 'gen'}: " + (f"changed {', '.join(changed)}" if changed else "up to date"))


@app.command()
def info(model: Annotated[str, typer.Argument(help="Name, or path of an .onnx file.")] = "standard") -> None:
    """Say what a model is: shape, look-ahead, and the record of its training (hours, steps, seed, data, config)."""
    import dataclasses
    import json

    need("onnx", "onnx")
    from .formats.onnx import read_onnx

    m = read_onnx(find_model(model))
    facts = {"name": m.name, "weights": m.shape.weight_count(), "look_ahead": m.look_ahead}
    short_first = dict(sorted(m.record.items(), key=lambda item: isinstance(item[1], dict)))
    print(json.dumps({**facts, "shape": dataclasses.asdict(m.shape), "record": short_first}, indent=2))


@app.command()
def extras(
    cache: Annotated[Path, typer.Argument(help="Folder of decoded clips, such as data/cache.")],
) -> None:
    """Add coded copies, simulated rooms, synthetic noise and music to a decoded corpus that has none."""
    from .data.extras import add_extras

    add_extras(cache)


develop = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Finish, judge and vary models; for engineers.")
for command in (finish, unseen, quality, echo, ablation):
    develop.command()(command)
app.command(epilog=EXIT_CODES)(denoise)
app.command()(train)
app.command()(corpus)
app.command(epilog=NAMES)(evaluate)
app.command()(bench)
app.add_typer(develop, name="develop")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> Any:
    """Entry point: known errors become one line on stderr and an exit code; a request to end is an interruption."""
    with contextlib.suppress(ValueError, OSError):  # not in the main thread
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        return app()
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)
    except TruncatedError as error:
        complain(error)
        sys.exit(SOME_FAILED)
    except (ModelError, EngineError, ValueError, OSError) as error:
        complain(error)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
