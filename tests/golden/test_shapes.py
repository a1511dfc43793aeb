"""Networks of other sizes, hops in pieces and many streams in one memory: always the reference's bytes."""

import importlib

import numpy as np
import pytest

from golden.signals import golden_signals
from kernels import same_bytes
from modules import build_modules
from sordino.chain.model import NetworkShape, random_model
from sordino.chain.params import HOP
from sordino.chain.pipeline import Pipeline
from sordino.chain.records import Settings
from sordino.formats.generate import tiers
from sordino.formats.weight_file import weight_bytes
from sordino.run.engines import WasmMemory, find_model, find_wasm, load_weights

VARIANTS = ("scalar", "simd128", "relaxed")
HOPS = 60


@pytest.fixture(scope="module")
def hops():
    return golden_signals()["rain"][: HOPS * HOP].reshape(-1, HOP)


class Streams:
    """Streams of one module in one memory, with one copy of the weights."""

    def __init__(self, module, weights, count=1):
        self.memory = WasmMemory(module)
        self.call = self.memory.call
        self.weights = self.memory.place(weights)
        self.size = self.call("sordino_state_bytes")
        self.states = [self.memory.reserve(self.size) for _ in range(count)]
        self.hop = self.memory.reserve(4 * HOP)
        assert all(self.call("sordino_init", s, self.weights, len(weights)) == 0 for s in self.states)

    def process(self, hop, stream=0):
        self.memory.write(self.hop, hop.tobytes())
        self.call("sordino_process", self.states[stream], self.hop, self.hop)
        return self.output()

    def output(self):
        return np.frombuffer(self.memory.read(self.hop, 4 * HOP), np.float32)


def reference(model, hops):
    pipeline = Pipeline(model, Settings())
    return np.stack([pipeline.process(hop) for hop in hops])


@pytest.mark.parametrize("name", sorted(tiers()))
def test_every_tier_in_the_shipped_modules(name, hops):
    model = random_model(tiers()[name], seed=3, name=name)
    wanted = reference(model, hops)
    for variant in VARIANTS:
        streams = Streams(find_wasm(f"sordino.{variant}.wasm"), weight_bytes(model))
        same_bytes(np.stack([streams.process(hop) for hop in hops]), wanted, f"{name} in {variant}")


UNUSUAL = {
    "wide": NetworkShape(20, 12, 16, 3, 8, taps=2),
    "narrow": NetworkShape(8, 20, 12, 1, taps=1),
    "long": NetworkShape(36, 4, 28, 1, 52, taps=5),
}
"""Layers that fill no whole registers of rows, one block and three, with and without a memory."""


def test_unusual_shapes_in_modules_of_their_own(hops, tmp_path):
    models = [random_model(shape, seed=7, name=name) for name, shape in UNUSUAL.items()]
    modules = build_modules(models, VARIANTS, tmp_path)
    for model in models:
        wanted = reference(model, hops)
        for variant, module in modules.items():
            streams = Streams(module, weight_bytes(model))
            same_bytes(np.stack([streams.process(hop) for hop in hops]), wanted, f"{model.name} in {variant}")


@pytest.mark.parametrize("early", [0, 1, 3, 99])
def test_a_hop_in_pieces_gives_the_same_bytes(early, hops):
    """early: parts of the network that are computed before finish is called."""
    weights = load_weights(find_model("standard"))
    whole, cut = (Streams(find_wasm("sordino.simd128.wasm"), weights) for _ in range(2))
    for i, hop in enumerate(hops):
        wanted = whole.process(hop)
        cut.memory.write(cut.hop, hop.tobytes())
        cut.call("sordino_begin", cut.states[0], cut.hop)
        left = [cut.call("sordino_advance", cut.states[0]) for _ in range(early)]
        assert left == [max(0, 4 - k) for k in range(early)]
        cut.call("sordino_finish", cut.states[0], cut.hop)
        same_bytes(cut.output(), wanted, f"hop {i}")


def test_streams_share_the_weights_and_nothing_else(hops):
    weights = load_weights(find_model("standard"))
    module = find_wasm("sordino.simd128.wasm")
    alone = [Streams(module, weights) for _ in range(3)]
    together = Streams(module, weights, 3)
    pages = together.memory.memory.size(together.memory.store)
    for i in range(HOPS):
        for stream in range(3):
            hop = hops[(i + 7 * stream) % HOPS]
            same_bytes(together.process(hop, stream), alone[stream].process(hop), f"stream {stream}, hop {i}")
    assert together.memory.memory.size(together.memory.store) == pages, "memory grew while it processed"
    assert together.memory.read(together.weights, len(weights)) == weights, "the weights were written"


STREAMS = 11
"""Two fours that take the network together, and three that are left over."""


def shifted(hops, stream):
    return np.roll(hops, 7 * stream, axis=0)[: HOPS // 3]


def run_together(streams, inputs):
    """Outputs [stream][hop]. In every third hop some have gone ahead alone, so that not all fours are full."""
    states = streams.memory.place(np.array(streams.states, "<u4").tobytes())
    outputs = [[] for _ in inputs]
    for i in range(len(inputs[0])):
        for stream, state in enumerate(streams.states):
            streams.memory.write(streams.hop, inputs[stream][i].tobytes())
            parts = streams.call("sordino_begin", state, streams.hop)
            for _ in range(stream % parts if i % 3 == 2 else 0):
                streams.call("sordino_advance", state)
        left = [streams.call("sordino_advance_together", states, len(inputs)) for _ in range(parts)]
        assert left == list(range(parts - 1, -1, -1))
        for stream, state in enumerate(streams.states):
            streams.call("sordino_finish", state, streams.hop)
            outputs[stream].append(streams.output())
    return np.array(outputs)


def test_the_network_of_several_streams_together(hops, tmp_path):
    """As in the reference, where each stream is alone."""
    models = [random_model(UNUSUAL[name], seed=8, name=name) for name in ("wide", "narrow")]
    modules = build_modules(models, VARIANTS, tmp_path)
    inputs = [shifted(hops, stream) for stream in range(STREAMS)]
    for model in models:
        wanted = np.stack([reference(model, samples) for samples in inputs])
        for variant, module in modules.items():
            got = run_together(Streams(module, weight_bytes(model), STREAMS), inputs)
            same_bytes(got, wanted, f"{model.name} in {variant}")


def test_the_extension_takes_several_streams_together(hops):
    native = importlib.import_module("sordino._native")
    weights = load_weights(find_model("standard"))
    streams = [native.Stream(weights) for _ in range(STREAMS)]
    inputs = [np.ascontiguousarray(shifted(hops, stream)).ravel() for stream in range(STREAMS)]
    outputs = [np.zeros_like(samples) for samples in inputs]
    native.process_together(streams, outputs, inputs)
    for stream, samples in enumerate(inputs):
        alone = np.zeros_like(samples)
        native.Stream(weights).process(alone, samples)
        same_bytes(outputs[stream], alone, f"stream {stream}")
    with pytest.raises(RuntimeError, match="in use"):
        native.process_together(streams[:1] * 2, outputs[:2], inputs[:2])


def floats_of(thing, seen):
    """Every float32 array that an object of the reference keeps."""
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        if thing.dtype in (np.float32, np.complex64):
            yield thing.view(np.float32)
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from floats_of(value, seen)
    elif isinstance(thing, (list, tuple)) or type(thing).__name__ == "deque":
        for value in thing:
            yield from floats_of(value, seen)
    elif hasattr(thing, "__dict__"):
        yield from floats_of(vars(thing), seen)


@pytest.mark.parametrize("tier", ["tiny", "standard"])
def test_no_denormal_number_stays_in_the_state_after_speech(tier, hops):
    """Denormal numbers make silence slow; the builds keep the reference's floats, bit for bit."""
    pipeline = Pipeline(random_model(tiers()[tier]), Settings())
    smallest = np.finfo(np.float32).tiny
    for i, hop in enumerate([*hops, *np.zeros((1000, HOP), np.float32)]):
        pipeline.process(hop)
        if i >= HOPS and i % 50 == 0:
            kept = np.concatenate([np.abs(x.ravel()) for x in floats_of(pipeline, set())])
            assert kept.size > 5000
            assert not ((kept > 0) & (kept < smallest)).any(), f"hop {i}"
