"""What a page fetches and what a stream takes stay small."""

import subprocess
from pathlib import Path

import pytest

from sordino.chain.model import random_model
from sordino.formats.generate import tiers
from sordino.formats.weight_file import weight_bytes
from sordino.run.engines import WasmMemory
from support import BUILD, MODELS, ROOT

CODE = ["sordino.js", "sordino.worklet.js"]
BROTLI = (
    "const z=require('zlib'),f=require('fs');console.log(z.brotliCompressSync(f.readFileSync(process.argv[1]),"
    "{params:{[z.constants.BROTLI_PARAM_QUALITY]:11}}).length)"
)


def brotli_bytes(file: Path) -> int:
    return int(subprocess.run(["node", "-e", BROTLI, file], check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("engine", ["relaxed", "simd128"])
def test_code_without_weights(engine, record_property):
    files = [ROOT / "web" / "dist" / name for name in [*CODE, f"sordino.{engine}.wasm"]]
    size = sum(map(brotli_bytes, files))
    record_property(f"code without weights, {engine}, brotli", f"{size} bytes")
    assert size <= 60_000


def test_the_tiny_tier_all_in(tmp_path, record_property):
    trained = MODELS / "tiny.sordino"
    if not trained.exists():
        trained = tmp_path / "tiny.sordino"
        trained.write_bytes(weight_bytes(random_model(tiers()["tiny"])))
    files = [trained, *(ROOT / "web" / "dist" / name for name in [*CODE, "sordino.relaxed.wasm"])]
    size = sum(map(brotli_bytes, files))
    record_property("tiny, all in, brotli", f"{size} bytes")
    assert size <= 450_000


@pytest.mark.parametrize("variant", ["relaxed", "simd128", "scalar"])
def test_an_extra_stream(variant, record_property):
    memory = WasmMemory(BUILD / "wasm" / f"sordino.{variant}.wasm")
    size = memory.call("sordino_state_bytes")
    record_property(f"an extra stream, {variant}", f"{size} bytes")
    assert size <= 96_000
    assert memory.top <= 128 * 1024, "the module's own data and stack"
