"""Speed beside the peers in one run: python3 build.py bench speed [--quick] [--browsers chromium,firefox]

Chromium and Firefox, headless: everything in one Worker and interleaved, the native build in this process between its
rounds; then nodes in an AudioWorklet. Medians over the rounds; compare only figures of one run. Writes speed.json,
speed.md and speed.svg.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[3]), str(Path(__file__).resolve().parents[2])]

from playwright.sync_api import sync_playwright  # noqa: E402

from browser import browsers  # noqa: E402

from . import report, rounds, workshop  # noqa: E402
from .rounds import Bench, say  # noqa: E402
from .wire import wire_bytes  # noqa: E402
from .workshop import OUT, ROOT  # noqa: E402

PAGES = Path(__file__).with_name("pages")


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
    tiers, scaled = workshop.tier_subjects(), workshop.made_subjects()
    tiers += [subject for subject in scaled if subject.name == "full_sparse"]
    scaled = [subject for subject in scaled if subject.name != "full_sparse"]
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
                traced = name == "chromium"
                result["browsers"][name] = rounds.measure_browser(bench, tiers, scaled, quick, traced)
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
