"""Plots: what report.collect returns goes in, pictures come out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from .statistics import sure

OURS, PEER, NOISY, ORACLE = "#2a6fb0", "#a0a7b0", "#d08a3c", "#5a9a5a"
_COLOURS = {"ours": OURS, "peer": PEER, "noisy": NOISY, "oracle": ORACLE, "folder": PEER}
_SCORES = (("pesq", "PESQ"), ("estoi", "ESTOI"), ("si_sdr_db", "SI-SDR, dB"), ("ovrl", "DNSMOS OVRL"))


def _complete(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Systems that heard every noisy clip, worst PESQ first."""
    systems = [s for s in found["systems"].values() if s["noisy"].get("pesq")]
    most = max(s["noisy"]["pesq"]["clips"] for s in systems)
    chosen = [s for s in systems if s["noisy"]["pesq"]["clips"] == most]
    return sorted(chosen, key=lambda s: s["noisy"]["pesq"]["mean"])


def overview(found: dict[str, Any], path: Path) -> None:
    """Four scores with their intervals, a row per system."""
    systems = _complete(found)
    figure, axes = plt.subplots(1, 4, figsize=(15, 1.2 + 0.36 * len(systems)), sharey=True, layout="constrained")
    for axis, (metric, heading) in zip(axes, _SCORES, strict=True):
        for row, system in enumerate(systems):
            value = system["noisy"][metric]
            colour = _COLOURS[system["family"]]
            axis.plot([value["low"], value["high"]], [row, row], color=colour, linewidth=2)
            axis.plot(value["mean"], row, "o", color=colour)
        axis.set_title(heading)
        axis.grid(axis="x", alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(len(systems)), [s["title"] for s in systems])
    figure.savefig(path, dpi=110)
    plt.close(figure)


def by_snr(found: dict[str, Any], path: Path) -> None:
    """PESQ, ESTOI and OVRL over the ratio; peers in grey tones by line style, ours in blue."""
    systems = _complete(found)
    figure, axes = plt.subplots(1, 3, figsize=(15, 5), layout="constrained")
    for axis, (metric, heading) in zip(axes, (_SCORES[0], _SCORES[1], _SCORES[3]), strict=True):
        for index, system in enumerate(reversed(systems)):
            points = [(label, s[metric]["mean"]) for label, s in system["by_snr"].items() if s.get(metric)]
            ours = system["family"] == "ours"
            colour = OURS if ours else NOISY if system["family"] == "noisy" else plt.cm.Greys(0.4 + 0.05 * (index % 10))
            full = ours and not any(line.get_color() == OURS for line in axis.lines)
            style = "-" if full else ("--", ":", "-.")[index % 3]
            axis.plot(*zip(*points, strict=True), style, color=colour, linewidth=2.2 if ours else 1.3)
            axis.lines[-1].set_label(system["title"])
        axis.set_title(heading)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def by_kind(found: dict[str, Any], path: Path) -> None:
    """PESQ gained over the noisy input, a cell per system and kind of clip."""
    systems = list(reversed([s for s in _complete(found) if s["family"] != "noisy"]))
    noisy = next(s for s in found["systems"].values() if s["family"] == "noisy")
    where = [(part, label) for part in ("by_part", "by_kind") for label in noisy[part] if label != "clean"]
    gains = [[_gain(s, noisy, part, label) for part, label in where] for s in systems]
    figure, axis = plt.subplots(figsize=(3 + 1.0 * len(where), 1.6 + 0.38 * len(systems)), layout="constrained")
    most = max(abs(gain) for row in gains for gain in row if gain == gain)
    axis.imshow(gains, cmap="RdBu", vmin=-most, vmax=most, aspect="auto")
    for row, values in enumerate(gains):
        for column, gain in enumerate(values):
            shade = "white" if abs(gain) > 0.6 * most else "black"
            axis.text(column, row, f"{gain:+.2f}", ha="center", va="center", fontsize=8, color=shade)
    axis.set_xticks(range(len(where)), [label for _, label in where], rotation=30, ha="right")
    axis.set_yticks(range(len(systems)), [s["title"] for s in systems])
    axis.set_title("PESQ gained over the noisy input")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _gain(system: dict[str, Any], noisy: dict[str, Any], part: str, label: str) -> float:
    one, other = (s[part].get(label, {}).get("pesq") for s in (system, noisy))
    return one["mean"] - other["mean"] if one and other else float("nan")


def by_cost(found: dict[str, Any], path: Path) -> None:
    """PESQ and OVRL over the processor time, in percent of a core; round: in Node, square: native."""
    systems = found["systems"]
    figure, axes = plt.subplots(1, 2, figsize=(14, 5.5), layout="constrained")
    for axis, (metric, heading) in zip(axes, (_SCORES[0], _SCORES[3]), strict=True):
        for name, system in systems.items():
            if system["family"] not in ("ours", "peer") or name.endswith(":wasm") or system not in _complete(found):
                continue
            measured = systems.get(f"{name.removesuffix(':sharp')}:wasm", system)
            if measured["cost"] is None:
                continue
            value, cost = system["noisy"][metric], 100 * measured["cost"]
            marker, colour = "o" if measured["runs_in"] == "Node" else "s", _COLOURS[system["family"]]
            axis.plot([cost, cost], [value["low"], value["high"]], color=colour, linewidth=1, alpha=0.6)
            axis.plot(cost, value["mean"], marker, color=colour)
            axis.annotate(system["title"], (cost, value["mean"]), (5, 4), textcoords="offset points", fontsize=8)
        level = next(s["noisy"][metric]["mean"] for s in systems.values() if s["family"] == "noisy")
        axis.axhline(level, color=NOISY, linewidth=1)
        axis.set_xscale("log")
        axis.set_xlabel("processor time, % of a core (round: WebAssembly in Node, square: native)")
        axis.set_title(heading)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def ablation(found: dict[str, Any], path: Path) -> bool:
    """What each variation changes in four scores, with intervals; blue where they surely do not hold 0.

    found    as sordino.evaluation.ablation.ablate returns it
    path     of the picture
    returns  whether there was anything to draw
    """
    pairs = {name: f"{system} - {base}" for name, (system, base) in found["rows"].items()}
    rows = [(name, found["differences"][pair]) for name, pair in pairs.items() if pair in found["differences"]]
    if not rows:
        return False
    figure, axes = plt.subplots(1, 4, figsize=(15, 1.4 + 0.36 * len(rows)), sharey=True, layout="constrained")
    for axis, (metric, heading) in zip(axes, _SCORES, strict=True):
        axis.axvline(0, color=NOISY, linewidth=1)
        for row, (_, difference) in enumerate(reversed(rows)):
            value = difference.get(metric)
            if value:
                colour = OURS if sure(value) else PEER
                axis.plot([value["low"], value["high"]], [row, row], color=colour, linewidth=2)
                axis.plot(value["mean"], row, "o", color=colour)
        axis.set_title(f"{heading}, difference")
        axis.locator_params(axis="x", nbins=5)
        axis.grid(axis="x", alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_yticks(range(len(rows)), [name for name, _ in reversed(rows)])
    figure.savefig(path, dpi=110)
    plt.close(figure)
    return True


def draw(found: dict[str, Any], folder: Path) -> list[Path]:
    """Draw all plots.

    found    as report.collect returns it
    folder   gets quality-overview.png, quality-snr.png, quality-noise.png, quality-cost.png
    returns  their paths
    """
    made = []
    for name, picture in (("overview", overview), ("snr", by_snr), ("noise", by_kind), ("cost", by_cost)):
        made.append(folder / f"quality-{name}.png")
        picture(found, made[-1])
    return made


def echo_over_time(results: list[tuple[int, str, dict[str, dict[str, Any]]]], step_s: float, path: Path) -> None:
    """How much quieter the microphone gets, a line per system, a picture per kind of scene."""
    kinds = list(dict.fromkeys(kind for _, kind, _ in sorted(results) if kind != "near alone"))
    figure, axes = plt.subplots(2, -(-len(kinds) // 2), figsize=(16, 8), sharey=True, layout="constrained")
    for axis, kind in zip(axes.flat, kinds, strict=False):
        for number, name in enumerate(results[0][2]):
            curves = [systems[name]["curve_db"] for _, of, systems in results if of == kind and name in systems]
            if name == "microphone" or not curves:
                continue
            ours = name.startswith("sordino")
            style = ("-", "--", ":")[number % 3] if ours else "-."
            time = [step_s * (i + 0.5) for i in range(len(curves[0]))]
            middle = [sum(values) / len(values) for values in zip(*curves, strict=True)]
            axis.plot(time, middle, style, color=OURS if ours else (PEER, NOISY)[number % 2], label=name)
        axis.set_title(kind)
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    axes.flat[0].set_ylabel("quieter by dB")
    axes.flat[0].legend(frameon=False)
    figure.supxlabel("seconds")
    figure.savefig(path, dpi=100)
    plt.close(figure)
