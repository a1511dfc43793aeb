"""Ways to run a model on a 48 kHz mono stream: the NumPy reference, the native extension, the WebAssembly module."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from .model import Model, ModelError
from .numerics import Float32
from .params import HOP
from .pipeline import Pipeline, Settings

ENGINES = ("native", "wasm", "reference")
MODELS = Path(__file__).parent / "models"
WASM_FOLDERS = (Path(__file__).parent / "wasm", Path(__file__).parents[2] / "build" / "wasm")
WASM_ERRORS = {
    -1: "not a Sordino weight file",
    -2: "a weight file of another format version",
    -3: "a truncated or overlong weight file",
    -4: "a damaged weight file (wrong checksum)",
    -5: "a weight file for a network that this build does not know",
}


class EngineError(RuntimeError):
    """An engine cannot be had or does not take the model; the message says what to do."""


class Engine(Protocol):
    """One stream. latency: samples between input and output of process."""

    latency: int

    def process(self, samples: Float32) -> Float32:
        """Take a whole number of hops, (n,) float32 at 48 kHz, and give as many samples out."""


def find_model(name_or_path: str) -> Path:
    """Path of a model by its short name ("standard") or by its path.

    raises  FileNotFoundError naming what was looked for and which names exist
    """
    path = Path(name_or_path)
    if path.suffix in (".onnx", ".sordino"):
        if path.is_file():
            return path
        raise FileNotFoundError(f"no model file at {path}")
    named = MODELS / f"{name_or_path}.onnx"
    if named.is_file():
        return named
    known = ", ".join(sorted(p.stem for p in MODELS.glob("*.onnx"))) or "none"
    raise FileNotFoundError(f"no model is called {name_or_path!r}; known: {known}; or give the path of an .onnx file")


def load_weights(path: Path) -> bytes:
    """The weight file of a model, quantised now where only the .onnx file exists."""
    if path.suffix == ".sordino":
        return path.read_bytes()
    from .export.weight_file import weight_bytes

    return weight_bytes(Model.load(path))


class ReferenceEngine:
    """The NumPy reference in the kernels' integer arithmetic (or in float: quantised=False)."""

    def __init__(self, model: Path, settings: Settings, quantised: bool = True) -> None:
        if model.suffix != ".onnx":
            raise EngineError(f"the reference reads .onnx models, got {model}")
        self.pipeline = Pipeline(Model.load(model), settings, quantised)
        self.latency = self.pipeline.latency

    def process(self, samples: Float32) -> Float32:
        return np.concatenate([self.pipeline.process(h) for h in samples.reshape(-1, HOP)])


class NativeEngine:
    """The kernels as a CPython extension."""

    def __init__(self, weights: bytes, settings: Settings) -> None:
        try:
            from ._native import Stream
        except ImportError as error:
            raise EngineError(f"the native extension is not built ({error}); run `python3 build.py build`") from error
        try:
            self.stream = Stream(weights)
        except ValueError as error:
            raise ModelError(f"{error}; a new shape needs `sordino export --generate` and a build") from error
        self.stream.set_post_filter(settings.post_filter)
        self.stream.set_attenuation_limit(settings.floor_gain)
        self.latency = self.stream.latency

    def process(self, samples: Float32) -> Float32:
        out = np.empty(samples.shape, np.float32)
        self.stream.process(out, np.ascontiguousarray(samples, np.float32))
        return out


class WasmEngine:
    """A WebAssembly build in wasmtime.

    weights   bytes of a weight file
    settings  listener's choices
    variant   "scalar", "simd128" or "relaxed"
    """

    def __init__(self, weights: bytes, settings: Settings, variant: str = "simd128") -> None:
        self.memory = WasmMemory(find_wasm(f"sordino.{variant}.wasm"))
        call = self.memory.call
        weights_at = self.memory.place(weights)
        self.state = self.memory.reserve(call("sordino_state_bytes"))
        self.hop = self.memory.reserve(4 * HOP)
        code = call("sordino_init", self.state, weights_at, len(weights))
        if code != 0:
            raise ModelError(f"{WASM_ERRORS[code]}; a new shape needs `sordino export --generate` and a build")
        call("sordino_set_post_filter", self.state, int(settings.post_filter))
        call("sordino_set_attenuation_limit", self.state, settings.floor_gain)
        self.latency = call("sordino_latency", self.state)

    def process(self, samples: Float32) -> Float32:
        hops = np.ascontiguousarray(samples, np.float32).reshape(-1, HOP)
        return np.concatenate([self._process_hop(h) for h in hops])

    def _process_hop(self, hop: Float32) -> Float32:
        self.memory.write(self.hop, hop.tobytes())
        self.memory.call("sordino_process", self.state, self.hop, self.hop)
        return np.frombuffer(self.memory.read(self.hop, 4 * HOP), np.float32)


class WasmMemory:
    """A module instance in wasmtime with a bump allocator above __heap_base."""

    def __init__(self, module: Path) -> None:
        import wasmtime

        config = wasmtime.Config()
        config.wasm_relaxed_simd = True
        self.store = wasmtime.Store(wasmtime.Engine(config))
        instance = wasmtime.Instance(self.store, wasmtime.Module.from_file(self.store.engine, str(module)), [])
        self.exports = instance.exports(self.store)
        self.memory = self.exports["memory"]
        self.top = self.exports["__heap_base"].value(self.store)

    def call(self, name: str, *arguments: float) -> int:
        return self.exports[name](self.store, *arguments)

    def reserve(self, size: int) -> int:
        """Address of so many fresh bytes, a multiple of 16."""
        at = -(-self.top // 16) * 16
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


def find_wasm(name: str) -> Path:
    """Path of a built module. Raises EngineError if there is none."""
    for folder in WASM_FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise EngineError(f"{name} is not built; run `python3 build.py build`")


def open_engine(engine: str, model: str = "standard", settings: Settings | None = None) -> Engine:
    """Start a stream.

    engine    "native", "wasm" or "reference"
    model     short name, or path of an .onnx or .sordino file
    settings  listener's choices
    raises    EngineError, ModelError, FileNotFoundError, ValueError for an unknown engine
    """
    path, settings = find_model(model), settings or Settings()
    if engine == "reference":
        return ReferenceEngine(path, settings)
    if engine == "native":
        return NativeEngine(load_weights(path), settings)
    if engine == "wasm":
        return WasmEngine(load_weights(path), settings)
    raise ValueError(f"engine is {engine!r}, wanted one of {', '.join(ENGINES)}")
