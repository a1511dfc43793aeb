"""Bytes over the wire, brotli at its best setting."""

from __future__ import annotations

import subprocess
from pathlib import Path

from . import workshop
from .rounds import ORT_FILES, PEERS
from .workshop import ROOT, Subject


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
