"""Many nodes in one AudioWorklet scope: what a render quantum costs, with the work of a hop at once or spread.

The browser's own trace says how much time of its thread every call of a processor took, so the shipped worklet runs as
it is, and what else the machine does is not counted.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

QUANTUM_US = 128 / 48_000 * 1e6
SCHEDULES = ("immediate", "spread")
CATEGORY = "disabled-by-default-audio-worklet"
CALL = "AudioWorkletProcessor::Process (author script execution)"
WARM_UP = 0.3
"""Part of the quanta, at the start, in which the browser still compiles."""
MOST_LIVE = 10
"""Nodes; more of them are measured offline only, because an overloaded live context leaves the page no time."""
NODE_SECONDS = 150
"""So many nodes times seconds are traced at most."""


def traced_quanta(bench: Any, streams: int, **run: Any) -> tuple[np.ndarray, dict[str, Any]]:
    """Let the prepared nodes run; returns microseconds of work per quantum, and what the page says of the run."""
    browser = bench.page.context.browser
    browser.start_tracing(page=bench.page, categories=[CATEGORY])
    answer = bench.scope("run", **run)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    calls = sorted((e["ts"], e["tdur"]) for e in events if e["name"] == CALL and "tdur" in e)
    us = np.array([spent for _, spent in calls], np.float64)
    return us[: us.size // streams * streams].reshape(-1, streams).sum(axis=1), answer


def quantum_summary(us: np.ndarray) -> dict[str, float]:
    """Microseconds of work in a quantum; of `busiest` every 15, after which the pattern of hops repeats at 48 kHz."""
    us = us[int(us.size * WARM_UP) :]
    return {
        "quanta": us.size,
        "mean": float(us.mean()),
        "p50": float(np.median(us)),
        "p99": float(np.percentile(us, 99)),
        "p99_share": float(np.percentile(us, 99) / QUANTUM_US),
        "busiest": float(np.median(us[: us.size // 15 * 15].reshape(-1, 15).max(axis=1))),
    }


def measure_scope(bench: Any, streams: int, longest_s: float, repeats: int) -> list[dict[str, Any]]:
    """One row per kind of context and schedule; schedules interleaved, medians over the repeats.

    The pace, seconds of sound per second, is that of the clock where live, else that of the thread's own time.
    """
    seconds = min(longest_s, max(1, NODE_SECONDS // streams))
    kinds = (False, True) if streams <= MOST_LIVE else (False,)
    return [row for live in kinds for row in scope_rows(bench, streams, seconds, repeats, live)]


def scope_rows(bench: Any, streams: int, seconds: float, repeats: int, live: bool) -> list[dict[str, Any]]:
    """Both schedules in turn. A live context is made once and runs again, an offline one is made for every repeat."""
    runs: dict[str, list[dict[str, Any]]] = {schedule: [] for schedule in SCHEDULES}
    made: dict[str, dict[str, Any]] = {}
    size = {"streams": streams, "seconds": seconds, "live": live}
    for _ in range(repeats):
        for schedule in SCHEDULES:
            if schedule not in made:
                made[schedule] = bench.scope("prepare", name=schedule, schedule=schedule, **size)
            us, answer = traced_quanta(bench, streams, name=schedule, live=live, seconds=seconds)
            found = quantum_summary(us)
            pace = {} if live else {"pace": QUANTUM_US / found["mean"]}
            runs[schedule].append({**made[schedule], **answer, **found, **pace})
            if not live:
                bench.scope("dispose", name=schedule, live=live)
                del made[schedule]
    for schedule in made:
        bench.scope("dispose", name=schedule, live=live)
    return [{**middle(found), "streams": streams, "schedule": s, "live": live} for s, found in runs.items()]


def middle(runs: list[dict[str, Any]]) -> dict[str, float]:
    """Medians of what several runs gave, figure by figure."""
    return {key: float(np.median([run[key] for run in runs])) for key in runs[0] if runs[0][key] is not None}
