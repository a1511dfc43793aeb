"""`sordino bench`: seconds of made-up sound go in, how fast each engine cleans it on this machine comes out."""

from __future__ import annotations

import json
from functools import partial
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from sordino.chain.numerics import Float32
from sordino.chain.params import HOP, SAMPLE_RATE

from .api import denoise
from .engines import ENGINES, EngineError, open_engine
from .timing import Timing, Work, in_turns, one_core

REFERENCE_SECONDS = 2.0
"""As much as the reference gets of a long recording: it is some fifty times slower."""


def made_up_sound(seconds: float) -> Float32:
    """A gliding buzz in bursts, in noise; seeded, (n,) float32 at 48 kHz, whole hops."""
    rng = np.random.default_rng(1)
    time = np.arange(max(HOP, int(seconds * SAMPLE_RATE) // HOP * HOP)) / SAMPLE_RATE
    phase = np.cumsum(120 + 40 * np.sin(2 * np.pi * time)) / SAMPLE_RATE
    buzz = ((phase % 1) - 0.5) * (time % 1 < 0.6)
    return (0.2 * buzz + rng.normal(0, 0.02, time.size)).astype(np.float32)


def time_engines(model: str, seconds: float, repeats: int) -> tuple[dict[str, Timing], dict[str, str]]:
    """Time every engine that can be had; and, by name, why others cannot."""
    sound = made_up_sound(seconds)
    works: dict[str, tuple[Work, float]] = {}
    missing: dict[str, str] = {}
    for engine in ENGINES:
        try:
            open_engine(engine, model)
        except EngineError as error:
            missing[engine] = str(error)
            continue
        some = sound[: int(REFERENCE_SECONDS * SAMPLE_RATE)] if engine == "reference" else sound
        work: Work = partial(denoise, some, SAMPLE_RATE, model=model, engine=engine)
        works[engine] = work, some.size / SAMPLE_RATE
    with one_core():
        return in_turns(works, repeats), missing


def bench(
    model: Annotated[str, typer.Option(help="Name, or path of a model.")] = "standard",
    seconds: Annotated[float, typer.Option(min=0.1, max=3600, help="Of sound, 48 kHz mono.")] = 60,
    repeats: Annotated[int, typer.Option(min=1, help="Turns; the median counts.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Time the engines on this machine: processor time on one core."""
    timings, missing = time_engines(model, seconds, repeats)
    if as_json:
        found = {
            name: {"seconds": t.seconds, "cpu_s": t.cpu_s, "real_time_factor": t.real_time_factor}
            for name, t in timings.items()
        }
        print(json.dumps({"model": model, "engines": found, "missing": missing}, indent=2))
        return
    table = Table("engine", "us per 10 ms", "x real time", "sound, s", title=f"{model}, one core")
    for name, timing in timings.items():
        factor = timing.real_time_factor
        table.add_row(name, f"{1e4 * factor:.1f}", f"{1 / factor:.0f}", f"{timing.seconds:g}")
    Console().print(table)
    for reason in missing.values():
        Console(stderr=True).print(f"sordino: {reason}", markup=False, highlight=False, soft_wrap=True)
