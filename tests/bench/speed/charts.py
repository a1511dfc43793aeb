"""The plot of a run: what every system costs, and how the cost grows with weights and with streams."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

WARM, PACED = "#2a6fb0", "#a0c4de"
KINDS = {"warm": WARM, "paced": PACED}
BAR = 0.38
ROW_INCHES, PANEL_INCHES = 0.36, 3.6
Line = list[tuple[float, float]]
Cost = tuple[str, float, float | None]


def costs(result: dict[str, Any]) -> list[Cost]:
    """Every system of every browser: its name, warm and paced us per hop; None where it was not paced."""
    return [
        (f"{browser}: {name}", warm["median"], found.get("paced", {}).get(name, {}).get("median"))
        for browser, found in result["browsers"].items()
        for name, warm in found.get("warm", {}).items()
    ]


def growth(browser: dict[str, Any]) -> dict[str, dict[str, Line]]:
    """By title of a panel and kind of cost: points of size and us per hop; no points where nothing was measured."""
    best = [row for row in browser.get("sizes", []) if row["variant"] == browser["best"]]
    best = sorted(best, key=lambda row: row["weights"])
    streams = browser.get("streams", [])
    return {
        "thousand weights": {kind: [(row["weights"] / 1e3, row[kind]["median"]) for row in best] for kind in KINDS},
        "streams in a Worker, us for all": {
            kind: [(row["streams"], row[kind]["together"]["median"]) for row in streams] for kind in KINDS
        },
    }


def draw_systems(axis: Any, rows: list[Cost]) -> None:
    """Two bars per system, the first on top, and both figures behind them."""
    for row, (_, warm, paced) in enumerate(rows):
        axis.barh(row - BAR / 2, warm, BAR, color=WARM, label="warm" if row == 0 else None)
        axis.barh(row + BAR / 2, paced or 0, BAR, color=PACED, label="paced" if row == 0 else None)
        figures = f"{warm:.0f}" if paced is None else f"{warm:.0f} / {paced:.0f}"
        axis.annotate(
            figures, (max(warm, paced or 0), row), (5, 0), textcoords="offset points", va="center", fontsize=8
        )
    axis.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    axis.invert_yaxis()
    axis.margins(x=0.12, y=0.01)
    axis.set_title("us per 10 ms of sound, on one thread")
    axis.grid(axis="x", alpha=0.3)
    if rows:
        axis.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False)


def draw_growth(axis: Any, title: str, lines: dict[str, Line]) -> None:
    """Cost over size, both logarithmic; the warm points are labelled."""
    for kind, line in lines.items():
        if not line:
            continue
        axis.loglog(*zip(*line, strict=True), "o-", color=KINDS[kind], markersize=4, label=kind)
    for size, us in lines["warm"]:
        axis.annotate(f"{us:.0f}", (size, us), (0, -12), textcoords="offset points", ha="center", fontsize=8)
    sizes = [size for size, _ in lines["warm"]]
    axis.set_xticks(sizes, [f"{size:.3g}" for size in sizes])
    axis.minorticks_off()
    axis.margins(0.1, 0.15)
    axis.set_xlabel(title)
    axis.set_ylabel("us per hop, Chromium")
    axis.grid(alpha=0.3)


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw what was measured.

    result  as speed.measure returns it
    path    of the picture, .png
    """
    rows = costs(result)
    panels = growth(result["browsers"].get("chromium", {}))
    panels = {title: lines for title, lines in panels.items() if lines["warm"]}
    heights = [1.2 + ROW_INCHES * len(rows), *([PANEL_INCHES] if panels else [])]
    figure = plt.figure(figsize=(11, sum(heights)), layout="constrained")
    parts = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    axes = [parts[0].subplots()]
    draw_systems(axes[0], rows)
    if panels:
        below = parts[1].subplots(1, len(panels), squeeze=False)[0]
        for axis, (title, lines) in zip(below, panels.items(), strict=True):
            draw_growth(axis, title, lines)
        axes += [*below]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
