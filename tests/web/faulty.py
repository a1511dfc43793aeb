"""The kernel that fails on request, faulty.c, compiled once in a run of the tests."""

from functools import cache
from pathlib import Path

from builder.kernels import C_FLAGS, PUBLIC, WASM_FLAGS, ZIG, exports
from builder.programs import run
from support import BUILD, ROOT, TESTS

SPIN = 40_000_000
"""Additions in double precision that take a processor of these years 20 to 60 ms."""


@cache
def build_faulty_wasm() -> Path:
    """A module with the kernel's exports that fails on request."""
    output = BUILD / "tests" / "faulty.wasm"
    output.parent.mkdir(parents=True, exist_ok=True)
    sources = [TESTS / "web" / "faulty.c", ROOT / "wasm" / "resample.c"]
    flags = ["-std=c11", *C_FLAGS, *WASM_FLAGS, f"-DSPIN={SPIN}", "-msimd128"]
    names = [flag for flag in exports(*PUBLIC) if not flag.endswith(("_advance", "_run"))]
    run(*ZIG, "cc", *flags, *names, f"-I{ROOT / 'wasm'}", *sources, "-o", output)
    return output
