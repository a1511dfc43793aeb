"""The network in onnxruntime-web, from the same ONNX file, against the float reference."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from browser.browsers import Tab
from browser.server import Server
from sordino.chain.features import normalise, normaliser
from sordino.chain.model import Model
from sordino.chain.network import Network
from sordino.chain.params import FEATURES
from sordino.formats.onnx import read_onnx
from support import MODELS

MODEL = MODELS / "standard.onnx"
PARTS = (1, 7, 92)
TOLERANCE = 1e-5


def wandering_features(model: Model, frames: int) -> NDArray[np.float32]:
    """Plausible features, not normalised: each wanders around its mean, some past the clip of the normalisation."""
    steps = np.random.default_rng(8).normal(0, 1, (frames, FEATURES))
    wander = np.empty_like(steps)
    value = steps[0]
    for frame in range(frames):
        value = 0.9 * value + 0.6 * steps[frame]
        wander[frame] = value
    return (model.feature_mean + 1.5 * model.feature_std * wander).astype(np.float32)


def state_shapes(path: Path) -> dict[str, list[int]]:
    inputs = onnx.load(path).graph.input
    shapes = {i.name: [d.dim_value for d in i.type.tensor_type.shape.dim] for i in inputs}
    return {name: shape for name, shape in shapes.items() if name.endswith("_past")}


def test_onnxruntime_web_says_what_the_reference_says(tab: Tab, server: Server, record_property) -> None:
    model = read_onnx(MODEL)
    features = wandering_features(model, sum(PARTS))
    offset, factor = normaliser(model.feature_mean, model.feature_std)
    request = {
        "model": f"{server.origin}/models/{MODEL.name}",
        "features": normalise(features, offset, factor).tolist(),
        "states": state_shapes(MODEL),
        "parts": PARTS,
    }
    got = tab.call(f"{server.origin}/pages/onnx.js", "runNetwork", request)
    network = Network(model, quantised=False)
    wanted = [network.step(frame) for frame in features]
    worst = {}
    for name in ("gain", "strength", "voice"):
        reference = np.array([getattr(decision, name) for decision in wanted]).ravel()
        assert np.ptp(reference) > 0.01, f"{name} hardly moves, so it tests nothing"
        worst[name] = float(np.abs(np.array(got[name]) - reference).max())
    record_property(f"onnxruntime-web in {tab.name}, {sum(PARTS)} frames, largest difference", worst)
    assert max(worst.values()) < TOLERANCE, worst
