"""Golden signals end to end: the reference and every WebAssembly build give the native build's bytes."""

import numpy as np
import pytest

from golden.outputs import whole_hops
from golden.signals import golden_signals
from kernels import same_bytes
from sordino.chain.params import HOP
from sordino.chain.pipeline import Pipeline
from sordino.chain.records import Settings
from sordino.formats.onnx import read_onnx
from sordino.formats.weight_file import weight_bytes
from sordino.run.engines import NativeEngine, WasmEngine, find_model, load_weights

MODEL = find_model("standard")


@pytest.fixture(scope="module")
def signals():
    return {name: whole_hops(x) for name, x in golden_signals().items()}


@pytest.fixture(scope="module")
def native(signals):
    weights = load_weights(MODEL)
    return {name: NativeEngine(weights, Settings()).process(x) for name, x in signals.items()}


def test_reference(signals, native, record_property):
    """NumPy, bit for bit: samples, pitch period, gains and strengths of every frame."""
    model, samples = read_onnx(MODEL), 0
    for name, x in signals.items():
        pipeline, engine = Pipeline(model), NativeEngine(load_weights(MODEL), Settings())
        for i, hop in enumerate(x.reshape(-1, HOP)):
            out, kernel_out = pipeline.process(hop), engine.process(hop)
            same_bytes(kernel_out, out, f"{name}, hop {i}, samples")
            assert engine.stream.pitch_period == pipeline.analysis.period, f"{name}, hop {i}"
            assert engine.stream.gains == [float(g) for g in pipeline.decision.gain], f"{name}, hop {i}"
            assert engine.stream.strengths == [float(r) for r in pipeline.decision.strength], f"{name}, hop {i}"
            assert engine.stream.voice == float(pipeline.decision.voice), f"{name}, hop {i}"
            same_bytes(out, native[name][i * HOP : (i + 1) * HOP], f"{name}, hop {i}, one hop or all at once")
        samples += x.shape[0]
    record_property("bytes, NumPy reference", f"{samples} samples in {len(signals)} signals, 0 differ")
    assert samples >= 30 * 48_000


@pytest.mark.parametrize("variant", ["scalar", "simd128", "relaxed"])
def test_wasmtime(signals, native, variant, record_property):
    weights, samples = load_weights(MODEL), 0
    for name, x in signals.items():
        same_bytes(WasmEngine(weights, Settings(), variant).process(x), native[name], f"{name} in {variant}")
        samples += x.shape[0]
    record_property(f"bytes, {variant} in wasmtime", f"{samples} samples in {len(signals)} signals, 0 differ")


@pytest.mark.parametrize("look_ahead", [0, 1, 2])
@pytest.mark.parametrize("settings", [Settings(), Settings(post_filter=False, floor_gain=0.25)])
def test_every_look_ahead_and_setting(signals, look_ahead, settings):
    model = read_onnx(MODEL).with_look_ahead(look_ahead)
    x = signals["pitch_glide"][: 100 * HOP]
    reference = Pipeline(model, settings)
    wanted = np.concatenate([reference.process(h) for h in x.reshape(-1, HOP)])
    for make in (NativeEngine, WasmEngine):
        chosen = make(load_weights(MODEL), settings, look_ahead=look_ahead)
        same_bytes(chosen.process(x), wanted, f"{make.__name__}, look-ahead chosen")
        made_for = make(weight_bytes(model), settings, look_ahead=2)
        same_bytes(made_for.process(x), wanted, f"{make.__name__}, look-ahead of the weight file, which is the most")
        assert chosen.latency == made_for.latency == reference.latency == HOP * (1 + look_ahead)


def test_reset_gives_a_fresh_stream(signals):
    x = signals["pitch_glide"][: 50 * HOP]
    engine = NativeEngine(load_weights(MODEL), Settings())
    first = engine.process(x)
    engine.stream.reset()
    same_bytes(engine.process(x), first, "after reset")


def test_output_is_finite_for_every_signal(native):
    for name, y in native.items():
        assert np.isfinite(y).all(), name
        assert np.abs(y).max() < 64, name
