"""The figures of a run as Markdown. What was not measured is left out, and said."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from .bars import HOP_US, RNNOISE_1
from .scope import QUANTUM_US

NOTE = "Microseconds per 10 ms of sound on one thread; 100 are 1 % of a core. Compare figures of one run only."


def flattest(pieces: list[float], quanta: int) -> float:
    """The dearest quantum when consecutive pieces of a hop are spread over so many quanta as evenly as can be."""
    if quanta == 1:
        return sum(pieces)
    cuts = range(1, len(pieces) - quanta + 2)
    return min(max(sum(pieces[:cut]), flattest(pieces[cut:], quanta - 1)) for cut in cuts)


def flat_rows(browser: dict[str, Any]) -> list[list[str]]:
    """Per tier the dearest quantum of 128 samples, in percent of a quantum, for 1 to 4 quanta per hop."""
    rows = []
    for tier, pieces in browser["pieces"].items():
        costs = [piece["mean"] for piece in pieces]
        rows.append([tier, *(f"{flattest(costs, quanta) / QUANTUM_US:.1%}" for quanta in range(1, 5))])
    return rows


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def systems_table(browser: dict[str, Any], wire: dict[str, int]) -> str:
    base = browser["warm"].get(RNNOISE_1, {"median": 1})["median"]
    rows = []
    for name, warm in browser["warm"].items():
        paced, tier = browser.get("paced", {}).get(name, {}), name.split()[0]
        size = wire.get(name) or wire.get(f"{tier}, all in", 0)
        memory = browser.get("memory_bytes", {}).get(name) or 0
        measured = [warm["median"], warm["p99"], paced.get("median"), paced.get("p99")]
        figures = [f"{x:.1f}" if x else "" for x in [*measured, browser.get("start_ms", {}).get(name)]]
        figures.insert(4, f"{warm['median'] / base:.2f}")
        rows.append([name, *figures, f"{memory / 1e6:.1f}" if memory else "", f"{size / 1e3:.0f}"])
    head = ["", "warm", "p99", "paced", "p99", "x RNNoise 0.1", "start, ms", "memory, MB", "kB on the wire"]
    return table(head, rows)


def start_times(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ms, the first time {values[0]:.0f} ms"


def streams_table(rows: list[dict[str, Any]]) -> str:
    """Many streams in one memory of a Worker: a hop of all, each stream alone and the network of all together."""
    lines = []
    for row in rows:
        line = [str(row["streams"])]
        for way in ("alone", "together"):
            warm, paced = row["warm"][way], row["paced"][way]
            line += [f"{x:.0f}" for x in (warm["median"], paced["median"], paced["p99"])]
            line.append(f"{HOP_US * row['streams'] / paced['median']:.0f}")
        ratios = [f"{row['together_by_alone'][kind]:.2f}" for kind in ("warm", "paced")]
        lines.append([*line, *ratios, f"{row['memoryBytes'] / 1e6:.1f}"])
    ways = [f"{name}{way}" for way in ("", ", together") for name in ("warm", "paced", "p99", "fill a core")]
    head = ["streams in a Worker", *ways, "together / alone, warm", "paced", "memory, MB"]
    return table(head, lines)


def scopes_table(rows: list[dict[str, Any]]) -> str:
    """Nodes in an AudioWorklet that begin to hear together; real time breaks where the pace falls below 1."""
    lines = []
    if not rows:
        return ""
    for row in rows:
        figures = [f"{row[key]:.0f}" for key in ("mean", "p50", "p99", "busiest")]
        pace = [f"{row['pace']:.2f}", f"{row.get('underruns', 0):.0f}" if row["live"] else ""]
        size = f"{row['memoryBytes'] / 1e6:.1f}"
        kind = "live" if row["live"] else "offline"
        lines.append([f"{row['streams']:.0f}", kind, row["schedule"], *figures, f"{row['p99_share']:.0%}", *pace, size])
    head = ["nodes", "context", "schedule", "us per quantum, mean", "median", "p99", "dearest of 15"]
    return table([*head, "p99 of the quantum", "pace", "underruns", "memory, MB"], lines)


def pieces_line(browser: dict[str, Any]) -> str:
    pieces = browser["pieces"]["standard"]
    parts = [f"begin {pieces[0]['mean']:.1f}", *(f"part {i} {p['mean']:.1f}" for i, p in enumerate(pieces[1:-1]))]
    parts.append(f"finish {pieces[-1]['mean']:.1f}")
    return f"Pieces of a hop of `standard`, {browser['best']}: {', '.join(parts)}.\n"


def starts_line(browser: dict[str, Any]) -> str:
    start = browser["node_start_ms"]
    ready, heard = start_times(start["ready"]), start_times(start["firstFrame"])
    return f"From `SordinoNode.create()` until ready {ready}; until a first hop has come out {heard}.\n"


def silence_line(browser: dict[str, Any]) -> str:
    silence = browser["silence"]
    return f"Speech {silence['speech']:.1f}, ten seconds of silence after it {silence['silence']:.1f}.\n"


def stages_table(browser: dict[str, Any]) -> str:
    rows = [[k, f"{s['per_hop']}", f"{s['us']:.2f}"] for k, s in browser["stages"].items()]
    return table(["stage", "per hop", "us per hop"], rows)


def flat_table(browser: dict[str, Any]) -> str:
    head = ["a hop's work in", "1 quantum", "2 (+128 samples)", "3 (+256)", "4 (+384)"]
    words = "Dearest quantum of 128 samples when a hop is spread (and the latency that adds), share of the quantum:\n\n"
    return words + table(head, flat_rows(browser))


def sizes_table(browser: dict[str, Any]) -> str:
    rows = [
        [r["name"], f"{r['weights'] / 1e3:.0f}", r["variant"], *(f"{r[k]['median']:.1f}" for k in ("warm", "paced"))]
        for r in browser["sizes"]
    ]
    return table(["network", "thousand weights", "build", "warm", "paced"], rows)


def matrix_table(browser: dict[str, Any]) -> str:
    rows = [[k, *(f"{m[x]:.1f}" for x in ("us", "gmac_s", "best_gmac_s"))] for k, m in browser["matrix"].items()]
    return table(["1536 x 128", "us", "GMAC/s", "best"], rows)


def browser_section(name: str, browser: dict[str, Any], wire: dict[str, int]) -> str:
    sections: dict[str, Callable[[dict[str, Any]], str]] = {
        "systems": lambda b: systems_table(b, wire),
        "start of a node": starts_line,
        "silence": silence_line,
        "pieces": pieces_line,
        "stages": stages_table,
        "streams": lambda b: streams_table(b["streams"]),
        "nodes": lambda b: scopes_table(b["scopes"]),
        "flat load": flat_table,
        "sizes": sizes_table,
        "matrix": matrix_table,
    }
    lines = [f"## {name} {browser.get('version', '')}\n"]
    lines += [f"FAILED, {phase}: {reason}\n" for phase, reason in browser.get("failed", {}).items()]
    for section, write in sections.items():
        try:
            lines.append(write(browser))
        except KeyError as missing:
            lines.append(f"Not measured: {section} ({missing}).\n")
    return "\n".join(lines)


def bars_table(bars: list[dict[str, Any]]) -> str:
    rows = []
    for bar in bars:
        limit = f"<= {bar['at_most']:g}" if "at_most" in bar else f">= {bar['at_least']:g}"
        got = "not measured" if bar["got"] is None else f"{bar['got']:.3g}"
        rows.append([bar["bar"], got, limit, "met" if bar["holds"] else "MISSED"])
    return table(["bar", "got", "wanted", ""], rows)


def markdown(result: dict[str, Any]) -> str:
    machine = result["machine"]
    place = f"{machine['cpu']} ({machine['vnni']}), {machine['cores']} cores, load {machine['load']:.1f}.\n"
    untrained = [name for name, tier in result["tiers"].items() if not tier["trained"]]
    kinds = (
        f"Untrained, with seeded random weights, which cost the same: {', '.join(untrained)}; and all scaled sizes.\n"
    )
    text = [f"# Speed, {machine['time']}\n", NOTE, place, kinds, "## Bars (Chromium)\n", bars_table(result["bars"])]
    text += [browser_section(name, b, result["wire_bytes"]) for name, b in result["browsers"].items()]
    return "\n".join(text)
