"""Both ways of the relaxed build to multiply, of which a browser takes the one that suits its processor."""

import numpy as np
import pytest

from builder.kernels import C_FLAGS, WASM_FLAGS, WASM_VARIANTS, ZIG
from builder.paths import WASM
from builder.programs import run
from kernels import Wasm, same_bytes
from sordino.chain.network import _IntegerLayer
from stages.test_gemv import SIZES, TOGETHER, activations, packed, run_together, some_matrix

WAYS = ("fused", "steps")


@pytest.fixture(scope="module")
def multiplier(tmp_path_factory) -> Wasm:
    """A module of matrix times vector alone, with both ways exported."""
    names = [f"-Wl,--export=sordino_{kind}_{way}" for kind in ("dense", "dense_together") for way in WAYS]
    flags = ["-std=c11", *C_FLAGS, *WASM_FLAGS, *WASM_VARIANTS["relaxed"], f"-I{WASM}"]
    sources = [WASM / "nn" / "kernels" / f"gemv_{way}.c" for way in WAYS]
    output = tmp_path_factory.mktemp("relaxed") / "ways.wasm"
    run(*ZIG, "cc", *flags, *names, *sources, "-o", output)
    return Wasm(output)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_each_way(multiplier, way, rows, columns):
    """One vector, and several together."""
    matrix = some_matrix(rows, columns)
    data = packed(matrix)
    pairs = [activations(columns, seed) for seed in range(TOGETHER)]
    alone, together = np.zeros(rows, np.float32), np.zeros((TOGETHER, rows), np.float32)
    multiplier.run(f"dense_{way}", alone, data, pairs[0][0], rows, columns)
    run_together(multiplier, together, data, np.stack([q for q, _ in pairs]), rows, columns, f"_{way}")
    wanted = [_IntegerLayer(matrix)(x) for _, x in pairs]
    same_bytes(alone, wanted[0], f"{way}, {rows} x {columns}")
    for k in range(TOGETHER):
        same_bytes(together[k], wanted[k], f"vector {k}, {way}, {rows} x {columns}")
