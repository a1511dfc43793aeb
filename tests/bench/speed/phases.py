"""One browser, phase by phase; what a phase has found is kept before the next begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from . import rounds
from .hearing import check_denoises, denoising
from .rounds import PEERS, Bench, median, say
from .scope import measure_scope
from .workshop import Subject

Found = dict[str, Any]
COUNTS = (1, 10, 100, 300)
"""Numbers of streams."""
MOST_REPEATED = 100
"""Nodes; more of them only show where real time breaks."""


@dataclass
class Run:
    """What is measured where: tiers in the modules that ship, scaled networks in their own, few repeats if quick.

    found  so far, by name
    """

    bench: Bench
    tiers: list[Subject]
    scaled: list[Subject]
    quick: bool
    found: Found = field(default_factory=dict)

    @property
    def repeats(self) -> int:
        return 5 if self.quick else 20

    @property
    def ticks(self) -> int:
        return 100 if self.quick else 600

    @property
    def best(self) -> str:
        """The fastest build that the browser takes."""
        return self.found["best"]

    @property
    def relaxed(self) -> bool:
        return self.best == "relaxed"


def start(run: Run) -> Found:
    rounds.write_clip()
    run.bench.ask("setClip", url="/out/clip.f32")
    relaxed = run.bench.ask("accepts", wasm="/wasm/sordino.relaxed.wasm")
    names, start_ms = rounds.start_all(run.bench, run.tiers, relaxed)
    best = "relaxed" if relaxed else "simd128"
    return {"best": best, "names": names, "start_ms": start_ms, "memory_at_first": run.bench.ask("memory")}


def node_start(run: Run) -> Found:
    return {"node_start_ms": run.bench.node_start(5)}


def hearing(run: Run) -> Found:
    """Whether all systems denoise."""
    noisy, found = rounds.write_clip(), {}
    for name in [*PEERS, f"standard {run.best}"]:
        found[name] = denoising(noisy, run.bench.render(name))
        check_denoises(name, found[name])
    return {"denoising": found}


def warm(run: Run) -> Found:
    figures = rounds.warm_rounds(run.bench, run.found["names"], run.tiers, 4 * run.repeats)
    return {"rounds": figures, "warm": {name: rounds.summary(values) for name, values in figures.items()}}


def paced(run: Run) -> Found:
    ticks = run.bench.ask("paced", names=run.found["names"], ticks=run.ticks)
    return {"paced": {name: rounds.paced_summary(us) for name, us in ticks.items()}}


def parts(run: Run) -> Found:
    """Pieces of a hop, stages, silence after speech, one matrix."""
    hops = 20 if run.quick else 300
    pieces = {t.name: rounds.piece_summary(run.bench, f"{t.name} {run.best}", hops) for t in run.tiers}
    stages = rounds.stage_summary(run.bench, run.best, 200, run.repeats)
    quiet = run.bench.ask("silence", name=f"standard {run.best}", blocks=50, hops=20)
    matrix = rounds.matrix_summary(run.bench, run.best, run.repeats)
    silence = {kind: median(values) for kind, values in quiet.items()}
    return {"pieces": pieces, "stages": stages, "silence": silence, "matrix": matrix}


def streams(run: Run) -> Found:
    standard = next(tier for tier in run.tiers if tier.name == "standard")
    files = rounds.places(standard, run.best)
    rows = run.bench.ask("manyStreams", **files, counts=COUNTS, ticks=50 if run.quick else 200)
    return {"streams": [rounds.stream_summary(row) for row in rows]}


def sizes(run: Run) -> Found:
    found = rounds.size_summary(run.bench, run.scaled, run.relaxed, run.repeats, run.ticks)
    return {"sizes": found, "memory_bytes": run.bench.ask("memory")}


def scopes(run: Run, nodes: int) -> Found:
    """So many nodes in an AudioWorklet; only Chromium says what a worklet costs."""
    traced = run.bench.page.context.browser.browser_type.name == "chromium"
    repeats = 2 if run.quick or nodes > MOST_REPEATED else 5
    rows = measure_scope(run.bench, nodes, 2 if run.quick else 4, repeats) if traced else []
    return {"scopes": run.found.get("scopes", []) + rows}


PHASES: dict[str, Callable[[Run], Found]] = {
    "start": start,
    "start of a node": node_start,
    "whether all denoise": hearing,
    "warm": warm,
    "paced": paced,
    "pieces, stages, silence, matrix": parts,
    "streams in a Worker": streams,
    "sizes": sizes,
    **{f"nodes in an AudioWorklet: {nodes}": partial(scopes, nodes=nodes) for nodes in COUNTS},
}


def measure(run: Run, keep: Callable[[Found], None]) -> None:
    """All phases in turn. What failed stands under "failed", by phase; keep is handed everything found after each."""
    for name, phase in PHASES.items():
        say(f"  {name}")
        try:
            run.found |= phase(run)
        except (Exception, SystemExit) as error:
            run.found.setdefault("failed", {})[name] = f"{type(error).__name__}: {error}"[:1000]
            say(f"  {name} failed: {error}")
        keep(run.found)
