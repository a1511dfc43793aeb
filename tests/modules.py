"""Modules built for a test or a benchmark: the shipped sources with other networks in them."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import build
import numpy as np
from numpy.typing import NDArray

from sordino.export.generate import write_generated
from sordino.model import Model


def build_modules(models: list[Model], variants: Iterable[str], folder: Path) -> dict[str, Path]:
    """Compile modules that know the models' networks and no other.

    models    with names that are C identifiers
    variants  of build.WASM_VARIANTS
    folder    gets source/ and the modules
    returns   path of the module by variant
    """
    source = folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(build.WASM, source, ignore=shutil.ignore_patterns("native"))
    write_generated(models, source, known={})
    modules = {}
    for variant in variants:
        modules[variant] = folder / f"sordino.{variant}.wasm"
        flags = ["-std=c11", *build.C_FLAGS, *build.WASM_FLAGS, *build.WASM_VARIANTS[variant]]
        flags += build.exports("sordino.h")
        build.run(*build.ZIG, "cc", *flags, f"-I{source}", *sorted(source.rglob("*.c")), "-o", modules[variant])
    return modules


def strongest_blocks(w: NDArray[np.float32], density: float) -> NDArray[np.float32]:
    """A (rows, columns) matrix with all but that part of its blocks of 8 x 4 weights, the strongest ones, set to 0."""
    blocks = w.reshape(w.shape[0] // 8, 8, w.shape[1] // 4, 4)
    strength = abs(blocks).sum(axis=(1, 3))
    kept = strength >= sorted(strength.ravel())[int(strength.size * (1 - density))]
    return (blocks * kept[:, None, :, None]).reshape(w.shape)


def pruned(model: Model, density: float) -> Model:
    """The model with all but the strongest blocks of 8 x 4 weights of its GRUs set to 0."""
    weights = dict(model.weights)
    for name, w in weights.items():
        if "gru" not in name or ".weight" not in name or w.shape[0] % 8 or w.shape[1] % 4:
            continue
        weights[name] = strongest_blocks(w, density)
    return Model(model.name, model.shape, model.look_ahead, weights, model.feature_mean, model.feature_std)
