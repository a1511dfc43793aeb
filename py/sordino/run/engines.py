"""Ways to run a model on a 48 kHz mono stream: the NumPy reference, the native extension, the WebAssembly module."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from sordino.chain import pipeline
from sordino.chain.model import ModelError
from sordino.chain.numerics import Float32
from sordino.chain.params import HOP, MAX_LOOK_AHEAD
from sordino.chain.pipeline import Pipeline
from sordino.chain.readouts import READOUTS
from sordino.chain.records import Settings
from sordino.formats.errors import ERRORS
from sordino.formats.shipped import MODELS, find_model, load_weights

from .cancellers import Canceller, NativeCanceller, ReferenceCanceller, WasmCanceller
from .wasm_memory import EngineError, WasmMemory, find_wasm

__all__ = [
    "ENGINES",
    "MODELS",
    "Decision",
    "Engine",
    "EngineError",
    "Follower",
    "NativeEngine",
    "ReferenceEngine",
    "WasmEngine",
    "WasmMemory",
    "find_model",
    "find_wasm",
    "load_weights",
    "open_engine",
]

ENGINES = ("native", "wasm", "reference")
NEW_SHAPE = "a new shape needs `sordino export --generate` and a build"


@dataclass(frozen=True)
class Decision:
    """What was decided about the frame just given out.

    voice              speech probability, 0..1
    gains              (BANDS,) float32 the network's gains, 0..1, before post-filter and attenuation limit
    strengths          (BANDS,) float32 share of the comb-filtered spectrum, 0..1
    pitch_period       samples at 48 kHz, 96..799
    pitch_correlation  0..1
    """

    voice: float
    gains: Float32
    strengths: Float32
    pitch_period: float
    pitch_correlation: float


class Follower(Protocol):
    """A channel that is treated as an engine has treated the mean of all channels."""

    def follow(self, hop: Float32) -> Float32:
        """Treat (HOP,) float32 after the engine has processed the mean of the same hop."""


class Engine(Protocol):
    """One stream. latency: samples between input and output of process."""

    latency: int

    def process(self, samples: Float32) -> Float32:
        """Take a whole number of hops, (n,) float32 at 48 kHz, and give as many samples out."""

    def configure(self, settings: Settings) -> None:
        """Exchange the listener's choices between hops."""

    def reset(self) -> None:
        """Forget everything heard; followers must be made anew."""

    def decision(self) -> Decision:
        """What was decided about the last hop given out."""

    def follower(self) -> Follower:
        """A further channel that gets this stream's gains."""

    def canceller(self) -> Canceller:
        """Echo control for one channel, by the same kernels."""


class ReferenceEngine:
    """The NumPy reference in the kernels' integer arithmetic (or in float: quantised=False)."""

    def __init__(
        self, path: Path, settings: Settings, look_ahead: int = MAX_LOOK_AHEAD, quantised: bool = True
    ) -> None:
        if path.suffix != ".onnx":
            raise EngineError(f"the reference reads .onnx models, got {path}")
        from sordino.formats.onnx import read_onnx

        model = read_onnx(path)
        self.pipeline = Pipeline(model.with_look_ahead(min(look_ahead, model.look_ahead)), settings, quantised)
        self.latency = self.pipeline.latency

    def process(self, samples: Float32) -> Float32:
        return np.concatenate([self.pipeline.process(h) for h in samples.reshape(-1, HOP)])

    def configure(self, settings: Settings) -> None:
        self.pipeline.settings = settings

    def reset(self) -> None:
        self.pipeline.reset()

    def decision(self) -> Decision:
        found: dict[str, Any] = {**self.pipeline.readouts}
        return Decision(**found)

    def follower(self) -> Follower:
        return pipeline.Follower(self.pipeline)

    def canceller(self) -> Canceller:
        return ReferenceCanceller()


class NativeEngine:
    """The kernels as a CPython extension."""

    def __init__(self, weights: bytes, settings: Settings, look_ahead: int = MAX_LOOK_AHEAD) -> None:
        try:
            from sordino._native import Stream
        except ImportError as error:
            raise EngineError(f"the native extension is not built ({error}); run `python3 build.py build`") from error
        try:
            self.stream = Stream(weights)
        except ValueError as error:
            raise ModelError(f"{error}; {NEW_SHAPE}") from error
        self.stream.set_look_ahead(look_ahead)
        self.latency: int = self.stream.latency
        self.configure(settings)

    def process(self, samples: Float32) -> Float32:
        out = np.empty(samples.shape, np.float32)
        self.stream.process(out, np.ascontiguousarray(samples, np.float32))
        return out

    def configure(self, settings: Settings) -> None:
        self.stream.set_post_filter(int(settings.post_filter))
        self.stream.set_attenuation_limit(settings.floor_gain)

    def reset(self) -> None:
        self.stream.reset()

    def decision(self) -> Decision:
        found = {r.name: getattr(self.stream, r.name) for r in READOUTS}
        lists = {r.name: np.array(found[r.name], np.float32) for r in READOUTS if r.count > 1}
        return Decision(**found | lists)

    def follower(self) -> Follower:
        return _NativeFollower(self)

    def canceller(self) -> Canceller:
        return NativeCanceller()


class _NativeFollower:
    def __init__(self, leader: NativeEngine) -> None:
        from sordino._native import Channel

        self.channel = Channel(leader.stream)

    def follow(self, hop: Float32) -> Float32:
        out = np.empty(HOP, np.float32)
        self.channel.follow(out, np.ascontiguousarray(hop, np.float32))
        return out


class WasmEngine:
    """A WebAssembly build in wasmtime.

    weights     bytes of a weight file
    settings    listener's choices
    variant     "scalar", "simd128" or "relaxed"
    look_ahead  frames, at most the model's own
    """

    def __init__(
        self, weights: bytes, settings: Settings, variant: str = "simd128", look_ahead: int = MAX_LOOK_AHEAD
    ) -> None:
        self.memory = WasmMemory(find_wasm(f"sordino.{variant}.wasm"))
        call = self.memory.call
        weights_at = self.memory.place(weights)
        self.state = self.memory.reserve(call("sordino_state_bytes"))
        self.hop = self.memory.reserve(4 * HOP)
        code = call("sordino_init", self.state, weights_at, len(weights))
        if code != 0:
            raise ModelError(f"{next(e.text for e in ERRORS if e.code == code)}; {NEW_SHAPE}")
        call("sordino_set_look_ahead", self.state, look_ahead)
        self.latency = int(call("sordino_latency", self.state))
        self.configure(settings)

    def process(self, samples: Float32) -> Float32:
        hops = np.ascontiguousarray(samples, np.float32).reshape(-1, HOP)
        return np.concatenate([self._process_hop(h) for h in hops])

    def _process_hop(self, hop: Float32) -> Float32:
        self.memory.write(self.hop, hop.tobytes())
        self.memory.call("sordino_process", self.state, self.hop, self.hop)
        return self.memory.floats(self.hop, HOP)

    def configure(self, settings: Settings) -> None:
        self.memory.call("sordino_set_post_filter", self.state, int(settings.post_filter))
        self.memory.call("sordino_set_attenuation_limit", self.state, settings.floor_gain)

    def reset(self) -> None:
        self.memory.call("sordino_reset", self.state)

    def decision(self) -> Decision:
        found = {r.name: self.memory.call(f"sordino_{r.name}", self.state) for r in READOUTS}
        lists = {r.name: self.memory.floats(found[r.name], r.count) for r in READOUTS if r.count > 1}
        return Decision(**found | lists)

    def follower(self) -> Follower:
        return _WasmFollower(self)

    def canceller(self) -> Canceller:
        return WasmCanceller(self.memory)


class _WasmFollower:
    def __init__(self, leader: WasmEngine) -> None:
        self.leader, self.memory = leader, leader.memory
        self.channel = self.memory.reserve(self.memory.call("sordino_channel_bytes"))
        self.memory.call("sordino_join", self.channel, leader.state)

    def follow(self, hop: Float32) -> Float32:
        at = self.leader.hop
        self.memory.write(at, np.ascontiguousarray(hop, np.float32).tobytes())
        self.memory.call("sordino_follow", self.channel, at, at, self.leader.state)
        return self.memory.floats(at, HOP)


def open_engine(
    engine: str,
    model: str | Path = "standard",
    settings: Settings | None = None,
    look_ahead: int = MAX_LOOK_AHEAD,
) -> Engine:
    """Start a stream.

    engine      "native", "wasm" or "reference"
    model       short name, or path of an .onnx or .sordino file
    settings    listener's choices
    look_ahead  frames, 10 ms of latency each; at most the model's own
    raises      EngineError, ModelError, FileNotFoundError, ValueError for an unknown engine
    """
    if engine not in ENGINES:
        raise ValueError(f"engine is {engine!r}, wanted one of {', '.join(ENGINES)}")
    path, settings = find_model(model), settings or Settings()
    try:
        if engine == "reference":
            return ReferenceEngine(path, settings, look_ahead)
        weights = load_weights(path)
    except ImportError as error:
        raise EngineError(f"{path.name} needs {error.name}; run `pip install 'sordino[onnx]'`") from error
    if engine == "native":
        return NativeEngine(weights, settings, look_ahead)
    return WasmEngine(weights, settings, look_ahead=look_ahead)
