"""The stages of every C build behind one call: native through cffi, the WebAssembly builds through wasmtime."""

import importlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cffi
import numpy as np
import pytest

from builder.paths import WASM
from sordino.chain.params import HISTORY
from sordino.run.engines import WasmMemory
from support import BUILD

BUILDS = ("native", "scalar", "simd128", "relaxed")
AFTER_HISTORY = {"refine": 1, "comb": 1}
"""Stages whose argument of this index is a frame with its past before it."""


class Native:
    """Calls the functions of wasm/stages.h and wasm/nn/network.h in the extension; arrays are changed in place."""

    def __init__(self) -> None:
        self.types = cffi.FFI()
        self.types.cdef(declarations("stages.h") + declarations("nn/network.h"))
        self.library = self.types.dlopen(importlib.import_module("sordino._native").__file__)

    def run(self, name: str, *arguments: np.ndarray | float) -> int | float | None:
        function = getattr(self.library, f"sordino_{name}")
        kinds = self.types.typeof(function).args
        passed = [self.passed(kind, a) for kind, a in zip(kinds, arguments, strict=True)]
        if name in AFTER_HISTORY:
            passed[AFTER_HISTORY[name]] += HISTORY
        return function(*passed)

    def passed(self, kind: Any, argument: np.ndarray | float) -> Any:
        """An argument as C takes it; a list of arrays becomes a list of addresses."""
        if isinstance(argument, list):
            return [self.types.cast("uint8_t *", self.types.from_buffer(a)) for a in argument]
        if isinstance(argument, np.ndarray):
            return self.types.cast(kind, self.types.from_buffer(argument))
        return argument


def declarations(header: str) -> str:
    """The types and functions of a header of wasm/, with the constants of the build in place of their names."""
    text = (WASM / header).read_text()
    text = re.sub(r'extern "C" \{|^#ifdef __cplusplus\n(.*\n)*?#endif$', "", text, flags=re.MULTILINE)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    sizes = dict(re.findall(r"^#define (\w+) (\d+)$", (WASM / "gen" / "params.h").read_text(), re.MULTILINE))
    return re.sub(r"\b(PADDED_\w+)\b", lambda found: sizes[found.group()], "\n".join(lines)) + "\n"


class Wasm:
    """Calls a module that exports stages; arrays are copied in and back."""

    def __init__(self, module: Path) -> None:
        self.memory = WasmMemory(module)
        self.bottom = self.memory.top

    def run(self, name: str, *arguments: np.ndarray | float) -> int | None:
        self.memory.top = self.bottom
        placed = [self.memory.place(a.tobytes()) if isinstance(a, np.ndarray) else a for a in arguments]
        passed = list(placed)
        if name in AFTER_HISTORY:
            passed[AFTER_HISTORY[name]] += 4 * HISTORY
        result = self.memory.call(f"sordino_{name}", *passed)
        for a, at in zip(arguments, placed, strict=True):
            if isinstance(a, np.ndarray):
                a[...] = np.frombuffer(self.memory.read(at, a.nbytes), a.dtype).reshape(a.shape)
        return result


@cache
def kernels(build: str) -> Native | Wasm:
    return Native() if build == "native" else Wasm(BUILD / "wasm" / f"stages.{build}.wasm")


every_build = pytest.mark.parametrize("build", BUILDS)


@dataclass(frozen=True)
class Inputs:
    """Adversarial samples of one length by name."""

    length: int

    def __iter__(self):
        rng = np.random.default_rng(self.length)
        noise = rng.standard_normal(self.length).astype(np.float32)
        impulse = np.zeros(self.length, np.float32)
        impulse[self.length // 3] = 1
        yield "noise", noise * np.float32(0.1)
        yield "silence", np.zeros(self.length, np.float32)
        yield "full scale", np.sign(noise)
        yield "tiny", noise * np.float32(1e-14)
        yield "denormal", noise * np.float32(1e-42)
        yield "impulse", impulse
        yield "huge", noise * np.float32(16)


def same_bytes(got: np.ndarray, wanted: np.ndarray, what: str) -> None:
    """Assert that two arrays agree to the bit."""
    wanted = np.ascontiguousarray(wanted, got.dtype)
    if got.tobytes() != wanted.tobytes():
        worst = np.abs(got.astype(np.float64) - wanted.astype(np.float64)).max()
        differing = int((got.view(np.uint8) != wanted.view(np.uint8)).sum())
        pytest.fail(f"{what}: {differing} bytes differ, largest difference {worst:.3g}")


def padded(x: np.ndarray, length: int) -> np.ndarray:
    """A float32 copy with zeros appended."""
    return np.concatenate([x, np.zeros(length - x.shape[0], np.float32)]).astype(np.float32)
