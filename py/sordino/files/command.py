"""`sordino denoise`: files, folders or a pipe go in, cleaned ones come out; progress on stderr, an exit code last."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from sordino.chain.params import MAX_LOOK_AHEAD
from sordino.chain.records import Settings
from sordino.run.api import floor_gain

if TYPE_CHECKING:
    from .audio import Treatment
    from .batch import Plan
    from .working import Outcome

console = Console(stderr=True)
FAILED, SOME_FAILED = 1, 3
EXIT_CODES = (
    "Exit code: 0 all done; 1 nothing done; 2 wrong usage; 3 some sources failed, were left out, or lack their "
    "end (what there is of them is cleaned); 130 interrupted."
)
NAMED_AT_MOST = 20
FarEnd = Annotated[
    Path | None, typer.Option(help="What the loudspeaker played during the one SOURCE: its echo goes too.")
]


class EngineName(StrEnum):
    """engines.ENGINES for the command line."""

    native = "native"
    wasm = "wasm"
    reference = "reference"


def printable(text: str) -> str:
    """The text with what no terminal should get, such as a line break in a file's name, as escapes."""
    shown = (c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)
    return "".join(shown)


def complain(message: object) -> None:
    """One red line on stderr."""
    console.print(f"sordino: {printable(str(message))}", style="red", markup=False, highlight=False, soft_wrap=True)


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
    far_end: FarEnd = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Overwrite what exists.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Keep what was made of these sources in this way.")] = False,
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Files at the same time; 0: one per core.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Say on stdout what became of each file.")] = False,
    raw: Annotated[str, typer.Option(help="Of stdin and stdout: s16 or f32, little-endian, interleaved.")] = "s16",
    rate: Annotated[int, typer.Option(help="Of stdin, Hz.")] = 48_000,
    channels: Annotated[int, typer.Option(help="Of stdin.")] = 1,
) -> None:
    """Clean recordings; each result is aligned with its source and as long."""
    from .audio import Treatment

    _check_paths(paths, as_json, far_end)
    settings = Settings(int(post_filter), floor_gain(attenuation_limit_db))
    treatment = Treatment(engine.value, model, settings, linked, look_ahead, far_end)
    if "-" in paths:
        _denoise_pipe(raw, rate, channels, treatment)
    else:
        _denoise_files(paths[:-1], Path(paths[-1]), treatment, force, resume, jobs, as_json)


def _check_paths(paths: list[str], as_json: bool, far_end: Path | None) -> None:
    """raises typer.BadParameter for paths that are no sources and a target, and no pipe"""
    reason = "wanted at least one source and a target" if len(paths) < 2 else ""
    if not reason and "-" in paths and (paths != ["-", "-"] or as_json):
        reason = "raw samples go from - to -, without --json"
    if reason:
        raise typer.BadParameter(reason, param_hint="SOURCE... TARGET")
    _check_far_end(far_end, paths)


def _check_far_end(far_end: Path | None, paths: list[str]) -> None:
    """raises typer.BadParameter for a far end beside anything but one file, FileNotFoundError where there is none"""
    if far_end is None:
        return
    if len(paths) != 2 or paths[0] == "-" or not Path(paths[0]).is_file():
        raise typer.BadParameter(f"goes with one source file, got {paths[:-1]}", param_hint="--far-end")
    if not far_end.is_file():
        raise FileNotFoundError(f"no far end at {far_end}")


def _denoise_pipe(raw: str, rate: int, channels: int, treatment: Treatment) -> None:
    from .audio import denoise_pipe

    def write(data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    denoise_pipe(sys.stdin.buffer, write, raw, rate, channels, treatment)


def _denoise_files(
    sources: list[str], target: Path, treatment: Treatment, force: bool, resume: bool, jobs: int, as_json: bool
) -> None:
    from . import batch, working

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
                tasks[source] = bar.add_task(printable(source.name), total=total)
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
            complain(outcome.error if named else f"{outcome.source}: {outcome.error}")
    for path, reason in plan.unread:
        complain(f"{path} {reason}: left out")
    if plan.no_sound:
        rest = len(plan.no_sound) - NAMED_AT_MOST
        names = ", ".join(printable(str(path)) for path in plan.no_sound[:NAMED_AT_MOST])
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
