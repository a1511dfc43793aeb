"""Bytes over the wire, brotli at its best setting."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from builder.paths import MODELS, ROOT

from .rounds import ORT_FILES, PEERS
from .workshop import OUT, Subject

SCRIPT = (
    "const z=require('zlib'),f=require('fs');"
    "console.log(z.brotliCompressSync(f.readFileSync(process.argv[1]),"
    "{params:{[z.constants.BROTLI_PARAM_QUALITY]:11}}).length)"
)


def brotli_bytes(files: list[Path]) -> int:
    """Of all files together; the size of a file is kept under its hash, because the large ones take half a minute."""
    folder = OUT / "brotli"
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for file in files:
        known = folder / hashlib.sha256(file.read_bytes()).hexdigest()
        if not known.is_file():
            done = subprocess.run(["node", "-e", SCRIPT, str(file)], check=True, capture_output=True, text=True)
            known.write_text(done.stdout)
        total += int(known.read_text())
    return total


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
        [*(ort / name for name in ORT_FILES), MODELS / "standard.onnx"]
    )
    return found
