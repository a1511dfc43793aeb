"""Every system in one Worker of a browser, measured in turn, the native build between their rounds."""

from __future__ import annotations

import base64
import time
from typing import Any

import numpy as np
import soundfile

from builder.paths import ROOT
from sordino.chain.params import HOP, SAMPLE_RATE
from sordino.chain.records import Settings
from sordino.run.engines import NativeEngine

from . import workshop
from .workshop import OUT, VARIANTS, Subject

BEGAN = time.monotonic()
WARM_HOPS = 40  # whole frames of every system
CLIP = ROOT / "web" / "demo" / "clips" / "rain.ogg"
SUPPRESSOR = "/peers/@sapphi-red/web-noise-suppressor/dist"
PEERS: dict[str, tuple[str, dict[str, str]]] = {
    "rnnoise 0.1 simd": (
        "worklet",
        {"script": f"{SUPPRESSOR}/rnnoise/workletProcessor.js", "wasm": f"{SUPPRESSOR}/rnnoise_simd.wasm"},
    ),
    "gtcrn": (
        "worklet",
        {"script": f"{SUPPRESSOR}/gtcrn/workletProcessor.js", "wasm": f"{SUPPRESSOR}/gtcrn.wasm"},
    ),
    "rnnoise 0.2": ("rnnoise", {"script": "/peers/@jitsi/rnnoise-wasm/dist/rnnoise-sync.js"}),
    "rnnoise 0.2 timephy": ("rnnoise", {"script": "/peers/@timephy/rnnoise-wasm/dist/generated/rnnoise-sync.js"}),
}
ORT_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


class Bench:
    """One browser with the worker in it."""

    def __init__(self, page: Any, origin: str) -> None:
        self.page = page
        page.set_default_timeout(600_000)
        page.goto(f"{origin}/pages/index.html")

    def ask(self, function: str, **parameters: Any) -> Any:
        script = "async ([name, parameters]) => (await import('/pages/main.js')).ask(name, parameters)"
        return self.page.evaluate(script, [function, parameters])

    def render(self, name: str) -> np.ndarray:
        """What a system makes of the clip."""
        return np.frombuffer(base64.b64decode(self.ask("render", name=name)), np.float32)

    def node_start(self, times: int) -> dict[str, list[float]]:
        return self.page.evaluate("async (times) => (await import('/pages/main.js')).nodeStart(times)", times)

    def scope(self, function: str, **parameters: Any) -> dict[str, Any]:
        script = "async ([name, parameters]) => (await import('/pages/scope.js'))[name](parameters)"
        return self.page.evaluate(script, [function, parameters])


def say(text: str) -> None:
    """Print what comes next, and how many seconds the run has taken."""
    print(f"{time.monotonic() - BEGAN:5.0f} s  {text}", flush=True)


def median(values: list[float]) -> float:
    return float(np.median(values))


def summary(values: list[float]) -> dict[str, float]:
    return {"median": median(values), "p99": float(np.percentile(values, 99)), "least": float(np.min(values))}


def write_clip() -> np.ndarray:
    """The clip as float32 samples, whole blocks of 8 hops (30 quanta of 128)."""
    samples, rate = soundfile.read(CLIP, dtype="float32")
    assert rate == SAMPLE_RATE, f"{CLIP} has {rate} Hz, wanted {SAMPLE_RATE}"
    samples = samples[: samples.size // (8 * HOP) * (8 * HOP)]
    (OUT / "clip.f32").write_bytes(samples.tobytes())
    return samples


def places(subject: Subject, variant: str) -> dict[str, str]:
    """Addresses of a subject's files on the server."""
    modules = "wasm" if subject.modules == workshop.SHIPPED else "modules"
    folder = "models" if subject.trained else "out" if modules == "wasm" else "modules"
    return {"wasm": f"/{modules}/sordino.{variant}.wasm", "weights": f"/{folder}/{subject.file.name}"}


def start_all(bench: Bench, tiers: list[Subject], relaxed: bool) -> tuple[list[str], dict[str, float]]:
    """Start everything; returns the names and what each start cost in ms."""
    cost: dict[str, float] = {}
    for tier in tiers:
        for variant in VARIANTS:
            if (variant == "relaxed" and not relaxed) or (variant == "scalar" and tier.name != "standard"):
                continue
            name = f"{tier.name} {variant}"
            answer = bench.ask("start", name=name, kind="sordino", places=places(tier, variant))
            cost[name] = answer["startMs"]
    for name, (kind, files) in PEERS.items():
        cost[name] = bench.ask("start", name=name, kind=kind, places=files)["startMs"]
    ort = {"script": f"/ort/{ORT_FILES[0]}", "wasmPaths": "/ort/", "model": "/models/standard.onnx"}
    name = "onnxruntime-web, network only"
    cost[name] = bench.ask("start", name=name, kind="onnx", places=ort)["startMs"]
    return list(cost), cost


def stream_summary(row: dict[str, Any]) -> dict[str, Any]:
    """Figures of many streams, alone and together, and the median of the ratio of neighbouring ticks."""
    summaries = {kind: {way: summary(us) for way, us in row[kind].items()} for kind in ("warm", "paced")}
    gain = {k: float(np.median(np.divide(row[k]["together"], row[k]["alone"]))) for k in ("warm", "paced")}
    return {**row, **summaries, "together_by_alone": gain}


def warm_rounds(bench: Bench, names: list[str], tiers: list[Subject], rounds: int) -> dict[str, list[float]]:
    """Back to back, one figure per round; with tiers also the native build, between the rounds of the browser."""
    samples = np.fromfile(OUT / "clip.f32", np.float32)[: WARM_HOPS * HOP]
    shipped = [t for t in tiers if t.modules == workshop.SHIPPED]
    engines = {f"{t.name} native": NativeEngine(t.file.read_bytes(), Settings()) for t in shipped}
    figures: dict[str, list[float]] = {name: [] for name in [*names, *engines]}
    for number in range(-2, rounds):
        found = bench.ask("warm", names=names, hops=WARM_HOPS)
        for name, engine in engines.items():
            begin = time.perf_counter()
            engine.process(samples)
            found[name] = (time.perf_counter() - begin) / WARM_HOPS * 1e6
        for name, us in found.items():
            if number >= 0:
                figures[name].append(us)
    return figures


def paced_summary(ticks: list[float]) -> dict[str, float]:
    """The median over blocks of 8 hops, because some peers work on frames of another length; p99 over single ticks."""
    blocks = np.array(ticks[: len(ticks) // 8 * 8]).reshape(-1, 8).mean(axis=1)
    return {"median": float(np.median(blocks)), "p99": float(np.percentile(ticks, 99)), "least": float(blocks.min())}


def piece_summary(bench: Bench, name: str, hops: int) -> list[dict[str, float]]:
    """begin, parts of the network, finish; the mean, because the clock is coarse."""
    pieces = bench.ask("pieces", name=name, hops=hops)
    return [{"mean": float(np.mean(x)), **summary(x)} for x in pieces]


def stage_summary(bench: Bench, variant: str, times: int, repeats: int) -> dict[str, dict[str, float]]:
    found = bench.ask("stages", wasm=f"/wasm/stages.{variant}.wasm", times=times, repeats=repeats)
    return {name: {"per_hop": s["perHop"], "us": median(s["samples"])} for name, s in found.items()}


def matrix_summary(bench: Bench, best: str, repeats: int) -> dict[str, dict[str, float]]:
    """1536 x 128 in our kernels and in the probes, in 10^9 multiplications per second; the kernels take no more columns
    than their networks have."""
    variants = ["relaxed", "simd128"] if best == "relaxed" else ["simd128"]
    modules = [{"name": v, "wasm": f"/wasm/stages.{v}.wasm", "call": "sordino_dense"} for v in variants]
    modules += [{"name": f"probe {v}", "wasm": f"/out/probe.{v}.wasm", "call": "probe"} for v in variants]
    found = bench.ask("matrix", modules=modules, rows=1536, columns=128, times=50, repeats=4 * repeats)
    return {
        name: {"us": median(us), "gmac_s": 1536 * 128 / median(us) / 1e3, "best_gmac_s": 1536 * 128 / min(us) / 1e3}
        for name, us in found.items()
    }


def size_summary(bench: Bench, scaled: list[Subject], relaxed: bool, repeats: int, ticks: int) -> list[dict[str, Any]]:
    names = {}
    for subject in scaled:
        for variant in ("relaxed", "simd128") if relaxed else ("simd128",):
            name = f"{subject.name} {variant}"
            bench.ask("start", name=name, kind="sordino", places=places(subject, variant))
            names[name] = (subject, variant)
    warm = warm_rounds(bench, list(names), [], repeats)
    paced = bench.ask("paced", names=list(names), ticks=ticks // 2)
    return [
        {"name": s.name, "weights": s.weights, "variant": v, "warm": summary(warm[n]), "paced": paced_summary(paced[n])}
        for n, (s, v) in names.items()
    ]
