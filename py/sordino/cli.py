"""The command line: sordino denoise | compare | info | export | corpus | extras | train | evaluate | bench | develop.

The other commands stand in the folder whose work they do.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from .chain.model import ModelError
from .chain.params import MAX_LOOK_AHEAD, VERSION
from .chain.records import Settings
from .data.command import corpus
from .evaluation.benchmarks import ablation, quality
from .evaluation.command import NAMES, evaluate
from .files.sound import TruncatedError
from .run.api import floor_gain
from .run.bench import bench
from .run.engines import MODELS, EngineError, find_model
from .run.extras import need
from .train.command import finish, train, unseen

if TYPE_CHECKING:
    from .files.audio import Treatment
    from .files.batch import Plan
    from .files.working import Outcome

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    help="Sordino: real-time speech noise suppression.",
)
console = Console(stderr=True)
FAILED, SOME_FAILED = 1, 3
NAMED_AT_MOST = 20


class EngineName(StrEnum):
    """engines.ENGINES for the command line."""

    native = "native"
    wasm = "wasm"
    reference = "reference"


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


@app.command(
    epilog="Exit code: 0 all done; 1 nothing done; 2 wrong usage; 3 some sources failed, were left out, or lack their "
    "end (what there is of them is cleaned); 130 interrupted."
)
def denoise(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE... TARGET",
            help="Files, folders or 'glob*patterns', any rate, any channel count; last the file (.wav, .flac, .ogg) "
            "or, for several, the folder of the results. `- -`: raw samples, or a sound file, from stdin to stdout.",
        ),
    ],
    engine: Annotated[EngineName, typer.Option(help="What computes it.")] = EngineName.native,
    model: Annotated[str, typer.Option(help="Name, or path of an .onnx or .sordino file.")] = "standard",
    post_filter: Annotated[bool, typer.Option(help="Sharpen the gains: removes more.")] = False,
    attenuation_limit_db: Annotated[
        float | None, typer.Option(min=0, help="Attenuate by at most this; 0 changes nothing.", show_default="no limit")
    ] = None,
    look_ahead: Annotated[
        int, typer.Option(min=0, max=MAX_LOOK_AHEAD, help="Frames heard before each decision; fewer: less latency.")
    ] = MAX_LOOK_AHEAD,
    linked: Annotated[
        bool, typer.Option("--linked/--independent", help="Same gains on all channels, or each on its own.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite what exists.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what was made of these sources in this way.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Files at the same time; 0: one per core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Say on stdout what became of each file.")] = False,
    raw: Annotated[str, typer.Option(help="Of stdin and stdout: s16 or f32, little-endian, interleaved.")] = "s16",
    rate: Annotated[int, typer.Option(help="Of stdin, Hz.")] = 48_000,
    channels: Annotated[int, typer.Option(help="Of stdin.")] = 1,
) -> None:
    """Clean recordings; each result is aligned with its source and as long."""
    from .files.audio import Treatment

    _check_paths(paths, as_json)
    settings = Settings(int(post_filter), floor_gain(attenuation_limit_db))
    treatment = Treatment(engine.value, model, settings, linked, look_ahead)
    if "-" in paths:
        _denoise_pipe(raw, rate, channels, treatment)
    else:
        _denoise_files(paths[:-1], Path(paths[-1]), treatment, force, resume, jobs, as_json)


def _check_paths(paths: list[str], as_json: bool) -> None:
    """raises typer.BadParameter for paths that are no sources and a target, and no pipe"""
    reason = "wanted at least one source and a target" if len(paths) < 2 else ""
    if not reason and "-" in paths and (paths != ["-", "-"] or as_json):
        reason = "raw samples go from - to -, without --json"
    if reason:
        raise typer.BadParameter(reason, param_hint="SOURCE... TARGET")


def _denoise_pipe(raw: str, rate: int, channels: int, treatment: Treatment) -> None:
    from .files.audio import denoise_pipe

    def write(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    denoise_pipe(sys.stdin.buffer, write, raw, rate, channels, treatment)


def _denoise_files(
    sources: list[str], target: Path, treatment: Treatment, force: bool, resume: bool, jobs: int, as_json: bool
) -> None:
    from .files import batch, working

    plan = batch.plan(sources, target)
    if not force and not resume:
        batch.refuse_existing(plan.jobs)
    treatment.open()
    percentage = TextColumn("{task.percentage:3.0f} %")
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), percentage, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        whole = bar.add_task(f"{len(plan.jobs)} files", total=len(plan.jobs), visible=len(plan.jobs) > 1)
        tasks: dict[Path, TaskID] = {}

        def show(source: Path, done: int, total: int) -> None:
            if source not in tasks:
                tasks[source] = bar.add_task(_printable(source.name), total=total)
            bar.update(tasks[source], completed=done, total=total)
            if done >= total:
                bar.remove_task(tasks.pop(source))
                bar.advance(whole)

        outcomes = working.run(plan.jobs, treatment, jobs or working.usable_cores(), force, resume, show)
    _report(outcomes, plan, as_json)


def _report(outcomes: list[Outcome], plan: Plan, as_json: bool) -> None:
    """Say what became of the files; ends the program where something is missing from the results."""
    import json

    count = {status: sum(o.status == status for o in outcomes) for status in ("done", "skipped", "failed", "cut")}
    if as_json:
        left = [{"source": str(path), "error": reason} for path, reason in plan.unread]
        others = {"left_out": left, "no_sound": [str(path) for path in plan.no_sound]}
        print(json.dumps({**count, "files": [o.as_dict() for o in outcomes], **others}, indent=2))
    for outcome in outcomes:
        if outcome.error:
            named = len(outcomes) == 1 or outcome.source in outcome.error
            _complain(outcome.error if named else f"{outcome.source}: {outcome.error}")
    for path, reason in plan.unread:
        _complain(f"{path} {reason}: left out")
    if plan.no_sound:
        rest = len(plan.no_sound) - NAMED_AT_MOST
        names = ", ".join(_printable(str(path)) for path in plan.no_sound[:NAMED_AT_MOST])
        more = f" and {rest} more" if rest > 0 else ""
        console.print(f"sordino: no sound, passed over: {names}{more}", markup=False, highlight=False, soft_wrap=True)
    if len(outcomes) > 1 or plan.unread:
        count["left out"] = len(plan.unread)
        text = ", ".join(f"{number} {status}" for status, number in count.items() if number)
        console.print(f"sordino: {text}", markup=False, highlight=False)
    if count["failed"] == len(outcomes):
        raise typer.Exit(FAILED)
    if count["failed"] or count["cut"] or plan.unread:
        raise typer.Exit(SOME_FAILED)


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
for command in (finish, unseen, quality, ablation):
    develop.command()(command)
app.command()(train)
app.command()(corpus)
app.command(epilog=NAMES)(evaluate)
app.command()(bench)
app.add_typer(develop, name="develop")


def _printable(text: str) -> str:
    """The text with what no terminal should get, such as a line break in a file's name, as escapes."""
    shown = (c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
    return "".join(shown)


def _complain(message: object) -> None:
    console.print(f"sordino: {_printable(str(message))}", style="red", markup=False, highlight=False, soft_wrap=True)


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
        _complain(error)
        sys.exit(SOME_FAILED)
    except (ModelError, EngineError, ValueError, OSError) as error:
        _complain(error)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
