"""The figures of a run as a Markdown table, a plot, and the bars that they clear or miss."""

from __future__ import annotations

import statistics
from typing import Any

from .scope import QUANTUM_US

SMALLEST = "smallest"
PRUNED = "full_sparse relaxed"
RNNOISE_1, RNNOISE_2, ORT = "rnnoise 0.1 simd", "rnnoise 0.2", "onnxruntime-web, network only"
HOP_US = 10_000
NOTE = "Microseconds per 10 ms of sound on one thread; 100 are 1 % of a core. Compare figures of one run only."


def network_us(browser: dict[str, Any], tier: str) -> float:
    return sum(piece["mean"] for piece in browser["pieces"][tier][1:-1])


def signal_us(browser: dict[str, Any]) -> float:
    """A whole hop around a network that costs next to nothing, back to back."""
    wanted = SMALLEST, browser["best"]
    return next(r["warm"]["median"] for r in browser["sizes"] if (r["name"], r["variant"]) == wanted)


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


def ratio(browser: dict[str, Any], name: str, other: str) -> float:
    """Median over the rounds of a system's warm cost over another's."""
    pairs = zip(browser["rounds"][name], browser["rounds"][other], strict=True)
    return statistics.median(a / b for a, b in pairs)


def bars(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Bars of the Chromium run: what is measured, the figure, the bar, whether it holds."""
    browser = result["browsers"].get("chromium")
    if not browser or browser["best"] != "relaxed":
        return []
    live = next(r for r in browser["scopes"] if (r["streams"], r["schedule"], r["live"]) == (10, "immediate", True))
    hundred = next(row for row in browser["streams"] if row["streams"] == 100)
    matrix, wire = browser["matrix"], result["wire_bytes"]
    rows = [
        ("standard relaxed / RNNoise 0.2, warm", ratio(browser, "standard relaxed", RNNOISE_2), 0.20),
        ("standard relaxed / RNNoise 0.1 SIMD, warm", ratio(browser, "standard relaxed", RNNOISE_1), 1.0),
        ("standard SIMD128 / RNNoise 0.2, warm", ratio(browser, "standard simd128", RNNOISE_2), 0.35),
        ("tiny relaxed / RNNoise 0.1 SIMD, warm", ratio(browser, "tiny relaxed", RNNOISE_1), 0.5),
        ("full relaxed / RNNoise 0.2, warm", ratio(browser, "full relaxed", RNNOISE_2), 0.6),
        ("full pruned relaxed / RNNoise 0.2, warm", ratio(browser, PRUNED, RNNOISE_2), 0.6),
        ("full relaxed, paced, share of a core", browser["paced"]["full relaxed"]["median"] / HOP_US, 0.03),
        ("full pruned relaxed, paced, share of a core", browser["paced"][PRUNED]["median"] / HOP_US, 0.03),
        ("standard relaxed / native, warm", ratio(browser, "standard relaxed", "standard native"), 1.6),
        ("signal processing without network, us warm", signal_us(browser), 25),
        ("network / onnxruntime-web", network_us(browser, "standard") / browser["warm"][ORT]["median"], 0.2),
        ("silence after speech / speech", browser["silence"]["silence"] / browser["silence"]["speech"], 1.05),
        ("10 nodes in an AudioWorklet, p99 of a quantum's work / quantum", live["p99_share"], 0.5),
        ("100 streams together, median of a hop / hop", hundred["paced"]["together"]["median"] / HOP_US, 1.0),
        ("100 streams together, p99 of a hop / hop", hundred["paced"]["together"]["p99"] / HOP_US, 1.0),
        ("code without weights, kB brotli", wire["code without weights"] / 1000, 60),
        ("tiny, all in, kB brotli", wire["tiny, all in"] / 1000, 450),
        ("an extra stream, kB", hundred["stateBytes"] / 1000, 96),
    ]
    found = [{"bar": name, "got": got, "at_most": limit, "holds": bool(got <= limit)} for name, got, limit in rows]
    for variant, limit in (("relaxed", 60), ("simd128", 30)):
        got = matrix[variant]["gmac_s"]
        share = got / matrix[f"probe {variant}"]["gmac_s"]
        name = f"1536 x 512 {variant}, GMAC/s (or 0.6 of the probe: {share:.2f})"
        found.append({"bar": name, "got": got, "at_least": limit, "holds": bool(got >= limit or share >= 0.6)})
    return found


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def systems_table(browser: dict[str, Any], wire: dict[str, int]) -> str:
    base = browser["warm"].get(RNNOISE_1, {"median": 1})["median"]
    rows = []
    for name, warm in browser["warm"].items():
        paced, tier = browser["paced"].get(name, {}), name.split()[0]
        size = wire.get(name) or wire.get(f"{tier}, all in", 0)
        memory = browser["memory_bytes"].get(name) or 0
        measured = [warm["median"], warm["p99"], paced.get("median"), paced.get("p99")]
        figures = [f"{x:.1f}" if x else "" for x in [*measured, browser["start_ms"].get(name)]]
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
    """Nodes in an AudioWorklet whose hops end in the same quantum; real time breaks where the pace falls below 1."""
    lines = []
    if not rows:
        return ""
    for row in rows:
        figures = [f"{row[key]:.0f}" for key in ("mean", "p50", "p99", "busiest")]
        pace = [f"{row['pace']:.2f}", f"{row.get('underrunEvents', 0):.0f}"] if row["live"] else ["", ""]
        size = f"{row['memoryBytes'] / 1e6:.1f}"
        kind = "live" if row["live"] else "offline"
        lines.append([f"{row['streams']:.0f}", kind, row["schedule"], *figures, f"{row['p99_share']:.0%}", *pace, size])
    head = ["nodes", "context", "schedule", "us per quantum, mean", "median", "p99", "dearest of 15"]
    return table([*head, "p99 of the quantum", "pace", "underruns", "memory, MB"], lines)


def browser_section(name: str, browser: dict[str, Any], wire: dict[str, int]) -> str:
    pieces = browser["pieces"]["standard"]
    parts = [f"begin {pieces[0]['mean']:.1f}", *(f"part {i} {p['mean']:.1f}" for i, p in enumerate(pieces[1:-1]))]
    parts.append(f"finish {pieces[-1]['mean']:.1f}")
    stages = [[k, f"{s['per_hop']}", f"{s['us']:.2f}"] for k, s in browser["stages"].items()]
    sizes = [
        [r["name"], f"{r['weights'] / 1e6:.2f}", r["variant"], *(f"{r[k]['median']:.1f}" for k in ("warm", "paced"))]
        for r in browser["sizes"]
    ]
    flat = ["a hop's work in", "1 quantum", "2 (+128 samples)", "3 (+256)", "4 (+384)"]
    matrix = [[k, *(f"{m[x]:.1f}" for x in ("us", "gmac_s", "best_gmac_s"))] for k, m in browser["matrix"].items()]
    silence = browser["silence"]
    start = browser["node_start_ms"]
    return "\n".join(
        [
            f"## {name} {browser['version']}\n",
            systems_table(browser, wire),
            f"From `SordinoNode.create()` until ready {start_times(start['ready'])}; until a first hop has come out "
            f"{start_times(start['firstFrame'])}.",
            f"Speech {silence['speech']:.1f}, silence after it {silence['silence']:.1f}.\n",
            f"Pieces of a hop of `standard`, {browser['best']}: {', '.join(parts)}.\n",
            table(["stage", "per hop", "us per hop"], stages),
            streams_table(browser["streams"]),
            scopes_table(browser["scopes"]),
            "Dearest quantum of 128 samples when a hop is spread (and the latency that adds), share of the quantum:\n",
            table(flat, flat_rows(browser)),
            table(["network", "M weights", "build", "warm", "paced"], sizes),
            table(["1536 x 512", "us", "GMAC/s", "best"], matrix),
        ]
    )


def markdown(result: dict[str, Any]) -> str:
    machine = result["machine"]
    place = f"{machine['cpu']} ({machine['vnni']}), {machine['cores']} cores, load {machine['load']:.1f}.\n"
    text = [f"# Speed, {machine['time']}\n", NOTE, place]
    text += [browser_section(name, b, result["wire_bytes"]) for name, b in result["browsers"].items()]
    text.append("## Bars (Chromium)\n")
    rows = []
    for bar in result["bars"]:
        limit = f"<= {bar['at_most']:g}" if "at_most" in bar else f">= {bar['at_least']:g}"
        rows.append([bar["bar"], f"{bar['got']:.3g}", limit, "yes" if bar["holds"] else "NO"])
    return "\n".join([*text, table(["bar", "got", "wanted", "holds"], rows)])


def plot(result: dict[str, Any]) -> str:
    """Warm and paced cost of every system as horizontal bars, one group per browser."""
    rows = [
        (f"{b}: {n}", w["median"], result["browsers"][b]["paced"].get(n, w)["median"])
        for b in result["browsers"]
        for n, w in result["browsers"][b]["warm"].items()
    ]
    left, width, height = 330, 560, 22
    scale = width / max(max(w, p) for _, w, p in rows)
    body = []
    for i, (name, warm, paced) in enumerate(rows):
        y = 40 + height * i
        body.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{name}</text>')
        body.append(f'<rect x="{left}" y="{y + 1}" width="{warm * scale:.1f}" height="8" fill="#2a6f97"/>')
        body.append(f'<rect x="{left}" y="{y + 10}" width="{paced * scale:.1f}" height="8" fill="#a9d6e5"/>')
        body.append(f'<text x="{left + max(warm, paced) * scale + 6:.1f}" y="{y + 13}">{warm:.0f} / {paced:.0f}</text>')
    size = f'width="{left + width + 110}" height="{60 + height * len(rows)}"'
    title = "us per 10 ms of sound: warm (dark), paced (light)"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="white"/><text x="12" y="24">{title}</text>{"".join(body)}</svg>\n'
    )
