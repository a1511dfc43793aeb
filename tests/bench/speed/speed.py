"""Speed beside the peers in one run: python3 build.py bench speed [--quick] [--browsers chromium,firefox]

Chromium and Firefox, headless: everything in one Worker and interleaved, the native build in this process between its
rounds; then nodes in an AudioWorklet. Medians over the rounds; compare only figures of one run. Writes speed.json,
speed.md and speed.png. Takes 6 to 11 minutes; a browser that hangs is ended.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import platform
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[2])]

import typer  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from browser import browsers  # noqa: E402
from builder.paths import BUILD, MODELS, ROOT  # noqa: E402

from . import charts, phases, report, workshop  # noqa: E402
from .bars import bars  # noqa: E402
from .rounds import Bench, say  # noqa: E402
from .wire import wire_bytes  # noqa: E402
from .workshop import OUT, Subject  # noqa: E402

PAGES = Path(__file__).with_name("pages")
LONGEST_S = {"chromium": 480, "firefox": 180}
"""A browser is ended after so many seconds; what it has measured until then counts."""


def machine() -> dict[str, Any]:
    """Where the run took place. vnni: V8 makes one instruction of a relaxed dot product only with AVX-VNNI."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), platform.processor())
    vnni = "AVX-VNNI" if any(" avx_vnni" in line for line in lines) else "no AVX-VNNI"
    load, now = os.getloadavg()[0], time.strftime("%F %T")
    return {"cpu": cpu, "vnni": vnni, "cores": os.cpu_count(), "load": load, "time": now}


def prepare() -> tuple[list[Subject], list[Subject], Path]:
    """Tiers, scaled networks and the folder of the peers."""
    OUT.mkdir(parents=True, exist_ok=True)
    say("preparing peers and random models")
    peers = workshop.install_peers()
    tiers, scaled = workshop.tier_subjects(), workshop.scaled_subjects()
    workshop.compile_probes()
    return tiers, scaled, peers


def folders(peers: Path) -> dict[str, Path]:
    """What the server offers, by the first segment of the path."""
    return {
        "pages": PAGES,
        "peers": peers,
        "wasm": BUILD / "wasm",
        "modules": OUT / "modules",
        "models": MODELS,
        "out": OUT,
        "ort": ROOT / "node_modules" / "onnxruntime-web" / "dist",
        "dist": ROOT / "web" / "dist",
    }


def measure_one(name: str, tiers: list[Subject], scaled: list[Subject], peers: Path, quick: bool) -> None:
    """One browser; everything found is in OUT/<name>.json after every phase. Runs in a process group of its own."""
    os.setsid()
    file = OUT / f"{name}.json"
    with contextlib.ExitStack() as opened:
        server = opened.enter_context(workshop.Server(folders(peers)))
        playwright = opened.enter_context(sync_playwright())
        browser = opened.enter_context(contextlib.closing(browsers.launch(playwright, name)))
        say(f"{name} {browser.version}")

        def keep(found: dict[str, Any]) -> None:
            partial = file.with_suffix(".partial")
            partial.write_text(json.dumps({**found, "version": browser.version}))
            partial.replace(file)

        phases.measure(phases.Run(Bench(browser.new_page(), server.origin), tiers, scaled, quick), keep)


def watched(name: str, **subjects: Any) -> dict[str, Any]:
    """measure_one() in a process that is ended when it takes too long; what it has found until then."""
    file = OUT / f"{name}.json"
    file.unlink(missing_ok=True)
    child = multiprocessing.get_context("fork").Process(target=measure_one, args=(name,), kwargs=subjects)
    child.start()
    child.join(LONGEST_S[name])
    late = child.is_alive()
    if late and child.pid:
        os.killpg(child.pid, signal.SIGKILL)
        child.join()
    found = json.loads(file.read_text()) if file.is_file() else {}
    if child.exitcode != 0:
        reason = f"ended after {LONGEST_S[name]} s" if late else f"ended with status {child.exitcode}"
        found.setdefault("failed", {})["run"] = reason
    return found


def measure(browser_names: list[str], quick: bool) -> dict[str, Any]:
    result: dict[str, Any] = {"machine": machine(), "quick": quick, "browsers": {}}
    tiers, scaled, peers = prepare()
    result["tiers"] = {t.name: {"weights": t.weights, "trained": t.trained} for t in tiers}
    for name in browser_names:
        if reason := browsers.missing(name):
            say(reason)
            continue
        result["browsers"][name] = watched(name, tiers=tiers, scaled=scaled, peers=peers, quick=quick)
    say("bytes over the wire")
    result["wire_bytes"] = wire_bytes(tiers, peers)
    result["bars"] = bars(result)
    return result


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer repeats: a look, not a figure.")] = False,
    browsers: Annotated[str, typer.Option(help="Separated by commas.")] = "chromium,firefox",
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = OUT.parent,
) -> None:
    """Measure speed beside the peers; writes speed.json, speed.md and speed.png."""
    result = measure(browsers.split(","), quick)
    out.mkdir(parents=True, exist_ok=True)
    (out / "speed.json").write_text(json.dumps(result, indent=1))
    (out / "speed.md").write_text(report.markdown(result))
    charts.draw(result, out / "speed.png")
    print((out / "speed.md").read_text())


if __name__ == "__main__":
    typer.run(main)
