"""The bars that a run in Chromium clears or misses; what a phase has not measured is said to be missing."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

Found = dict[str, Any]

RNNOISE_1, RNNOISE_2, ORT = "rnnoise 0.1 simd", "rnnoise 0.2", "onnxruntime-web, network only"
HOP_US = 10_000


def ratio(browser: Found, name: str, other: str) -> float:
    """Median over the rounds of a system's warm cost over another's."""
    pairs = zip(browser["rounds"][name], browser["rounds"][other], strict=True)
    return statistics.median(a / b for a, b in pairs)


def network_us(browser: Found, tier: str) -> float:
    return sum(piece["mean"] for piece in browser["pieces"][tier][1:-1])


def signal_us(browser: Found) -> float:
    """What a hop costs before and after the network."""
    pieces = browser["pieces"]["standard"]
    return pieces[0]["mean"] + pieces[-1]["mean"]


def scope(browser: Found, streams: int, schedule: str = "immediate", live: bool = False) -> Found:
    """Nodes in an AudioWorklet."""
    wanted = (streams, schedule, live)
    return next(r for r in browser["scopes"] if (r["streams"], r["schedule"], r["live"]) == wanted)


def ten_p99(browser: Found, schedule: str) -> float:
    """Share of a render quantum, live."""
    return scope(browser, 10, schedule, live=True)["p99_share"]


def together(browser: Found, streams: int) -> Found:
    """Streams in a Worker, their networks together, a hop every 10 ms."""
    return next(row for row in browser["streams"] if row["streams"] == streams)["paced"]["together"]


def extra_node_kb(browser: Found) -> float:
    """Wasm memory of a node in an AudioWorklet beside others, buffers counted."""
    few, many = scope(browser, 10), scope(browser, 100)
    return (many["memoryBytes"] - few["memoryBytes"]) / (many["streams"] - few["streams"]) / 1000


def growth_bytes(browser: Found) -> float:
    """What the wasm memory of our systems has gained from the first hop to the end of the run, at most."""
    first, last = browser["memory_at_first"], browser["memory_bytes"]
    return max(last[name] - first[name] for name in first if name.split()[0] in browser["pieces"])


def paced_share(browser: Found, name: str) -> float:
    return browser["paced"][name]["median"] / HOP_US


AT_MOST: list[tuple[str, float, Callable[[Found, dict[str, int]], float]]] = [
    ("standard relaxed / RNNoise 0.2, warm", 0.20, lambda b, _: ratio(b, "standard relaxed", RNNOISE_2)),
    ("standard relaxed / RNNoise 0.1 SIMD, warm", 1.0, lambda b, _: ratio(b, "standard relaxed", RNNOISE_1)),
    ("standard SIMD128 / RNNoise 0.2, warm", 0.35, lambda b, _: ratio(b, "standard simd128", RNNOISE_2)),
    ("tiny relaxed / RNNoise 0.1 SIMD, warm", 0.5, lambda b, _: ratio(b, "tiny relaxed", RNNOISE_1)),
    ("full relaxed / RNNoise 0.2, warm", 0.6, lambda b, _: ratio(b, "full relaxed", RNNOISE_2)),
    ("full relaxed, paced, share of a core", 0.03, lambda b, _: paced_share(b, "full relaxed")),
    ("standard relaxed / native, warm", 1.6, lambda b, _: ratio(b, "standard relaxed", "standard native")),
    ("signal processing without network, us", 25, lambda b, _: signal_us(b)),
    ("network / onnxruntime-web", 0.2, lambda b, _: network_us(b, "standard") / b["warm"][ORT]["median"]),
    ("silence after speech / speech", 1.05, lambda b, _: b["silence"]["silence"] / b["silence"]["speech"]),
    ("10 nodes in an AudioWorklet, spread, p99 of the work / quantum", 0.5, lambda b, _: ten_p99(b, "spread")),
    ("10 nodes in an AudioWorklet, immediate, p99 of the work / quantum", 0.5, lambda b, _: ten_p99(b, "immediate")),
    ("100 streams in a Worker, median of a hop / hop", 1.0, lambda b, _: together(b, 100)["median"] / HOP_US),
    ("100 streams in a Worker, p99 of a hop / hop", 1.0, lambda b, _: together(b, 100)["p99"] / HOP_US),
    ("code without weights, kB brotli", 60, lambda _, wire: wire["code without weights"] / 1000),
    ("tiny, all in, kB brotli", 450, lambda _, wire: wire["tiny, all in"] / 1000),
    ("an extra stream, kB of state", 96, lambda b, _: b["streams"][0]["stateBytes"] / 1000),
    ("an extra node in an AudioWorklet, kB of wasm memory", 96, lambda b, _: extra_node_kb(b)),
    ("growth of wasm memory over the run, bytes", 0, lambda b, _: growth_bytes(b)),
]
AT_LEAST: list[tuple[str, float, Callable[[Found, dict[str, int]], float]]] = [
    (
        "100 nodes in an AudioWorklet, sound per time of its thread",
        1.0,
        lambda b, _: scope(b, 100)["pace"],
    ),
]
WITH_VNNI: list[tuple[str, float, Callable[[Found, dict[str, int]], float]]] = [
    ("1536 x 128 relaxed, GMAC/s", 60, lambda b, _: b["matrix"]["relaxed"]["gmac_s"]),
    ("1536 x 128 SIMD128, GMAC/s", 30, lambda b, _: b["matrix"]["simd128"]["gmac_s"]),
]
WITHOUT_VNNI: list[tuple[str, float, Callable[[Found, dict[str, int]], float]]] = [
    ("1536 x 128 relaxed (no AVX-VNNI here), share of the probe", 0.6, lambda b, _: probe_share(b, "relaxed")),
    ("1536 x 128 SIMD128 (no AVX-VNNI here), share of the probe", 0.6, lambda b, _: probe_share(b, "simd128")),
]


def probe_share(browser: Found, variant: str) -> float:
    """Of the rate of a hand-written probe in the same run."""
    return browser["matrix"][variant]["gmac_s"] / browser["matrix"][f"probe {variant}"]["gmac_s"]


def bars(result: Found) -> list[Found]:
    """Bars of the Chromium run: what is measured, the figure or None, the bar, whether it holds."""
    browser, wire = result["browsers"].get("chromium", {}), result["wire_bytes"]
    rows = []
    matrix = WITH_VNNI if result["machine"]["vnni"] == "AVX-VNNI" else WITHOUT_VNNI
    for side, measures in (("at_most", AT_MOST), ("at_least", [*AT_LEAST, *matrix])):
        for name, limit, measure in measures:
            try:
                got = float(measure(browser, wire))
            except (KeyError, StopIteration):
                rows.append({"bar": name, "got": None, side: limit, "holds": False})
                continue
            holds = got <= limit if side == "at_most" else got >= limit
            rows.append({"bar": name, "got": got, side: limit, "holds": bool(holds)})
    return rows
