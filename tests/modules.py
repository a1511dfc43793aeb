"""Modules built for a test or a benchmark: the shipped sources with other networks in them."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from builder.kernels import C_FLAGS, PUBLIC, WASM_FLAGS, WASM_VARIANTS, ZIG, exports
from builder.paths import WASM
from builder.programs import run
from sordino.chain.model import Model
from sordino.formats.generate import write_generated


def build_modules(models: list[Model], variants: Iterable[str], folder: Path) -> dict[str, Path]:
    """Compile modules that know the models' networks and no other.

    models    with names that are C identifiers
    variants  of WASM_VARIANTS
    folder    gets source/ and the modules
    returns   path of the module by variant
    """
    source = folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(WASM, source, ignore=shutil.ignore_patterns("native"))
    write_generated(models, source, known={})
    modules = {}
    for variant in variants:
        modules[variant] = folder / f"sordino.{variant}.wasm"
        flags = ["-std=c11", *C_FLAGS, *WASM_FLAGS, *WASM_VARIANTS[variant], *exports(*PUBLIC)]
        run(*ZIG, "cc", *flags, f"-I{source}", *sorted(source.rglob("*.c")), "-o", modules[variant])
    return modules
