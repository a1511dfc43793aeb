"""Speed beside the peers in one run: python3 build.py bench speed [--quick] [--browsers chromium,firefox]

Chromium and Firefox, headless, everything in one Worker and interleaved, the native build in this process between its
rounds. Medians over the rounds; compare only figures of one run. Writes speed.json, speed.md and speed.svg.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(Path(__file__).parent)]

import report  # noqa: E402
import workshop  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from workshop import OUT, VARIANTS, Subject  # noqa: E402

from browser import browsers  # noqa: E402
from sordino.engines import NativeEngine  # noqa: E402
from sordino.params import HOP, SAMPLE_RATE  # noqa: E402
from sordino.pipeline import Settings  # noqa: E402

PAGES = Path(__file__).with_name("pages")
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

    def node_start(self, times: int) -> list[float]:
        script = "async (times) => (await import('/pages/main.js')).nodeStart(times, {})"
        return self.page.evaluate(script, times)


def say(text: str) -> None:
    print(text, flush=True)


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


def denoising(noisy: np.ndarray, cleaned: np.ndarray) -> dict[str, float]:
    """Whether an output is the denoised input and not silence: delay, correlation at it, level of the quiet frames."""
    size = 1 << math.ceil(math.log2(noisy.size * 2))
    product = np.fft.irfft(np.conj(np.fft.rfft(noisy, size)) * np.fft.rfft(cleaned, size))[: SAMPLE_RATE // 4]
    delay = int(np.argmax(product))
    a, b = noisy[: noisy.size - delay].astype(np.float64), cleaned[delay:].astype(np.float64)
    correlation = float(a @ b / math.sqrt((a @ a) * (b @ b) + 1e-30))
    frames = [x[: x.size // HOP * HOP].reshape(-1, HOP) for x in (a, b)]
    level = [10 * np.log10((f**2).mean(axis=1) + 1e-12) for f in frames]
    quiet = level[0] <= np.percentile(level[0], 25)
    reduction = float(level[0][quiet].mean() - level[1][quiet].mean())
    loud = level[0] >= np.percentile(level[0], 90)
    kept = float(level[1][loud].mean() - level[0][loud].mean())
    return {"delay_samples": delay, "correlation": correlation, "quiet_reduction_db": reduction, "loud_change_db": kept}


def check_denoises(name: str, found: dict[str, float]) -> None:
    if found["correlation"] < 0.5 or found["quiet_reduction_db"] < 1 or found["loud_change_db"] < -12:
        raise SystemExit(f"{name} does not denoise, its speed means nothing: {found}")


def places(subject: Subject, variant: str) -> dict[str, str]:
    """Addresses of a subject's files on the server."""
    modules = {workshop.build.BUILD / "wasm": "wasm", OUT / "modules": "modules"}[subject.modules]
    folder = "models" if subject.trained else "out" if subject.modules.name == "wasm" else "modules"
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


def measure_browser(bench: Bench, tiers: list[Subject], scaled: list[Subject], quick: bool) -> dict[str, Any]:
    repeats, ticks = (5, 100) if quick else (20, 600)
    noisy = write_clip()
    bench.ask("setClip", url="/out/clip.f32")
    relaxed = bench.ask("accepts", wasm="/wasm/sordino.relaxed.wasm")
    best = "relaxed" if relaxed else "simd128"
    names, start_ms = start_all(bench, tiers, relaxed)
    result: dict[str, Any] = {"start_ms": start_ms, "denoising": {}, "best": best}
    result["node_start_ms"] = bench.node_start(5)
    for name in [*PEERS, f"standard {best}"]:
        found = denoising(noisy, np.array(bench.ask("render", name=name), np.float32))
        check_denoises(name, found)
        result["denoising"][name] = found
    say("  warm")
    result["rounds"] = warm_rounds(bench, names, tiers, 4 * repeats)
    result["warm"] = {name: summary(values) for name, values in result["rounds"].items()}
    say("  paced")
    result["paced"] = {k: paced_summary(v) for k, v in bench.ask("paced", names=names, ticks=ticks).items()}
    result["memory_bytes"] = bench.ask("memory")
    say("  pieces, stages, silence")
    standard = f"standard {best}"
    result["pieces"] = {t.name: piece_summary(bench, f"{t.name} {best}", 20 if quick else 300) for t in tiers}
    result["stages"] = stage_summary(bench, best, 200, repeats)
    quiet = bench.ask("silence", name=standard, blocks=50, hops=20)
    result["silence"] = {kind: median(v) for kind, v in quiet.items()}
    say("  matrix, streams, sizes")
    result["matrix"] = matrix_summary(bench, best, repeats)
    counts = [1, 10, 100] if quick else [1, 10, 100, 300]
    standard_tier = next(t for t in tiers if t.name == "standard")
    streams = bench.ask("manyStreams", **places(standard_tier, best), counts=counts, ticks=50 if quick else 200)
    result["streams"] = [{**row, "warm": summary(row["warm"]), "paced": summary(row["paced"])} for row in streams]
    result["sizes"] = size_summary(bench, scaled, relaxed, repeats, ticks)
    return result


def warm_rounds(bench: Bench, names: list[str], tiers: list[Subject], rounds: int) -> dict[str, list[float]]:
    """Back to back, one figure per round; with tiers also the native build, between the rounds of the browser."""
    samples = np.fromfile(OUT / "clip.f32", np.float32)[: WARM_HOPS * HOP]
    engines = {f"{t.name} native": NativeEngine(t.file.read_bytes(), Settings()) for t in tiers}
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
    """1536 x 512 in our kernels and in the probes, in 10^9 multiplications per second."""
    variants = ["relaxed", "simd128"] if best == "relaxed" else ["simd128"]
    modules = [{"name": v, "wasm": f"/wasm/stages.{v}.wasm", "call": "sordino_dense"} for v in variants]
    modules += [{"name": f"probe {v}", "wasm": f"/out/probe.{v}.wasm", "call": "probe"} for v in variants]
    found = bench.ask("matrix", modules=modules, rows=1536, columns=512, times=50, repeats=4 * repeats)
    return {
        name: {"us": median(us), "gmac_s": 1536 * 512 / median(us) / 1e3, "best_gmac_s": 1536 * 512 / min(us) / 1e3}
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


def brotli_bytes(files: list[Path]) -> int:
    script = (
        "const z=require('zlib'),f=require('fs');console.log(process.argv.slice(1).reduce((n,p)=>"
        "n+z.brotliCompressSync(f.readFileSync(p),{params:{[z.constants.BROTLI_PARAM_QUALITY]:11}}).length,0))"
    )
    done = subprocess.run(["node", "-e", script, *map(str, files)], check=True, capture_output=True, text=True)
    return int(done.stdout)


def wire_bytes(tiers: list[Subject], peers: Path) -> dict[str, int]:
    """Bytes a page fetches, brotli at its best setting."""
    dist, ort = ROOT / "web" / "dist", ROOT / "node_modules" / "onnxruntime-web" / "dist"
    code = [dist / "sordino.js", dist / "sordino.worklet.js", dist / "sordino.relaxed.wasm"]
    found = {"code without weights": brotli_bytes(code)}
    for tier in tiers:
        found[f"{tier.name}, all in"] = found["code without weights"] + brotli_bytes([tier.file])
    for name, (_, files) in PEERS.items():
        found[name] = brotli_bytes([peers / path.removeprefix("/peers/") for path in files.values()])
    found["onnxruntime-web, network only"] = brotli_bytes(
        [*(ort / name for name in ORT_FILES), workshop.build.MODELS / "standard.onnx"]
    )
    return found


def machine() -> dict[str, Any]:
    """Where the run took place. vnni: V8 makes one instruction of a relaxed dot product only with AVX-VNNI."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())
    vnni = "AVX-VNNI" if any(" avx_vnni" in line for line in lines) else "no AVX-VNNI"
    load, now = os.getloadavg()[0], time.strftime("%F %T")
    return {"cpu": cpu, "vnni": vnni, "cores": os.cpu_count(), "load": load, "time": now}


def measure(browser_names: list[str], quick: bool) -> dict[str, Any]:
    OUT.mkdir(parents=True, exist_ok=True)
    say("preparing peers and random models")
    peers = workshop.install_peers()
    tiers, scaled = workshop.tier_subjects(), workshop.scaled_subjects()
    workshop.compile_probes()
    folders = {
        "pages": PAGES,
        "peers": peers,
        "wasm": workshop.build.BUILD / "wasm",
        "modules": OUT / "modules",
        "models": workshop.build.MODELS,
        "out": OUT,
        "ort": ROOT / "node_modules" / "onnxruntime-web" / "dist",
        "dist": ROOT / "web" / "dist",
    }
    result: dict[str, Any] = {"machine": machine(), "quick": quick, "browsers": {}}
    result["tiers"] = {t.name: {"weights": t.weights, "trained": t.trained} for t in tiers}
    with workshop.Server(folders) as server, sync_playwright() as playwright:
        for name in browser_names:
            if reason := browsers.missing(name):
                say(reason)
                continue
            with contextlib.closing(browsers.launch(playwright, name)) as browser:
                say(f"{name} {browser.version}")
                bench = Bench(browser.new_page(), server.origin)
                result["browsers"][name] = measure_browser(bench, tiers, scaled, quick)
                result["browsers"][name]["version"] = browser.version
    result["wire_bytes"] = wire_bytes(tiers, peers)
    result["bars"] = report.bars(result)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(prog="build.py bench speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer repeats: a look, not a figure")
    parser.add_argument("--browsers", default="chromium,firefox", help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=OUT.parent, help="folder of the results (default: build/bench)")
    options = parser.parse_args()
    result = measure(options.browsers.split(","), options.quick)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "speed.json").write_text(json.dumps(result, indent=1))
    (options.out / "speed.md").write_text(report.markdown(result))
    (options.out / "speed.svg").write_text(report.plot(result))
    print((options.out / "speed.md").read_text())


if __name__ == "__main__":
    main()
