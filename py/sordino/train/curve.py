"""Curve: the log of a training run goes in, a picture of its losses and validation measures comes out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

TRAIN, VALID, QUANTISED = "#a0a7b0", "#2a6fb0", "#f3ead8"
_COLUMNS = 4


def read_log(path: Path) -> list[dict[str, Any]]:
    """Lines of a log.jsonl in order of their steps.

    A line that a kill cut short is left out; where a run began again at an earlier step, only the later line counts.
    """
    lines: list[dict[str, Any]] = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        lines = [earlier for earlier in lines if earlier["step"] < line["step"]] + [line]
    return lines


def series(lines: list[dict[str, Any]]) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Everything the log says over the hours of mixtures heard.

    lines    as read_log returns them
    returns  by name of the value, and then "train" or "valid": (hours, value) pairs
    """
    found: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for line in lines:
        for side in ("train", "valid"):
            for name, value in line.get(side, {}).items():
                if value is not None:
                    found.setdefault(name, {}).setdefault(side, []).append((line["hours"], value))
    return found


def draw(log: Path, picture: Path) -> None:
    """Draw a panel per value; hours with rounded weights are shaded.

    log      log.jsonl of a run
    picture  .png, .svg or .pdf
    raises   ValueError if the log holds no line
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    lines = read_log(log)
    if not lines:
        raise ValueError(f"{log} holds no line to draw")
    panels = series(lines)
    rows = -(-len(panels) // _COLUMNS)
    size = (4 * _COLUMNS, 2.6 * rows + 0.6)
    figure, axes = plt.subplots(rows, _COLUMNS, figsize=size, layout="constrained", squeeze=False)
    quantised = [line["hours"] for line in lines if line.get("quantised")]
    for axis, (name, sides) in zip(axes.flat, panels.items(), strict=False):
        if quantised:
            axis.axvspan(quantised[0], lines[-1]["hours"], color=QUANTISED)
        for side, colour in (("train", TRAIN), ("valid", VALID)):
            if side in sides:
                axis.plot(*zip(*sides[side], strict=True), color=colour, label=side)
        axis.set_title(name)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    _tidy(list(axes.flat), len(panels))
    last = lines[-1]
    figure.suptitle(f"{last['step']} steps, {last['hours']:g} h of mixtures, {last['minutes']:g} minutes")
    figure.savefig(picture, dpi=100)
    plt.close(figure)


def _tidy(axes: list[Any], used: int) -> None:
    for axis in axes[used:]:
        axis.remove()
    for axis in axes[:used]:
        axis.set_xlabel("hours of mixtures")
    axes[0].legend()


def draw_if_possible(log: Path, picture: Path, say: Callable[[str], None] = print) -> None:
    """draw, or one line that says what is missing: a finished run is not lost for want of a picture."""
    try:
        draw(log, picture)
    except (ImportError, ValueError, OSError) as error:
        say(f"{picture} was not drawn: {error}")
