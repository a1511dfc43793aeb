"""A WebAssembly build in wasmtime: where it lies, and its memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sordino.chain.numerics import Float32

WASM_FOLDERS = (Path(__file__).parents[1] / "wasm", Path(__file__).parents[3] / "build" / "wasm")


class EngineError(RuntimeError):
    """An engine cannot be had or does not take the model; the message says what to do."""


class WasmMemory:
    """A module instance in wasmtime with a bump allocator above __heap_base."""

    def __init__(self, module: Path) -> None:
        try:
            import wasmtime
        except ImportError as error:
            raise EngineError("the engine wasm needs wasmtime; run `pip install 'sordino[wasm]'`") from error
        config = wasmtime.Config()
        config.wasm_relaxed_simd = True
        self.store = wasmtime.Store(wasmtime.Engine(config))
        instance = wasmtime.Instance(self.store, wasmtime.Module.from_file(self.store.engine, str(module)), [])
        self.exports: Any = instance.exports(self.store)
        self.memory = self.exports["memory"]
        self.top = self.exports["__heap_base"].value(self.store)

    def call(self, name: str, *arguments: float) -> Any:
        return self.exports[name](self.store, *arguments)

    def reserve(self, size: int) -> int:
        """Address of so many fresh bytes, a multiple of 16."""
        at: int = -(-self.top // 16) * 16
        self.top = at + size
        missing = self.top - self.memory.data_len(self.store)
        if missing > 0:
            self.memory.grow(self.store, -(-missing // 65536))
        return at

    def place(self, data: bytes) -> int:
        """Address of a copy of the bytes."""
        at = self.reserve(len(data))
        self.write(at, data)
        return at

    def write(self, at: int, data: bytes) -> None:
        self.memory.write(self.store, data, at)

    def read(self, at: int, size: int) -> bytes:
        return bytes(self.memory.read(self.store, at, at + size))

    def floats(self, at: int, count: int) -> Float32:
        """A copy of so many float32."""
        return np.frombuffer(self.read(at, 4 * count), np.float32)


def find_wasm(name: str) -> Path:
    """Path of a built module. Raises EngineError if there is none."""
    for folder in WASM_FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise EngineError(f"{name} is not built; run `python3 build.py build`")
