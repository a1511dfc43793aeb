"""The latency that is reported is the one an impulse measures, and with open gains the chain only delays."""

import numpy as np
import pytest

from sordino.chain.model import Model, NetworkShape, random_model
from sordino.chain.params import HOP
from sordino.chain.pipeline import Pipeline
from sordino.chain.records import Settings
from sordino.formats.weight_file import weight_bytes
from sordino.run.align import aligned
from sordino.run.engines import NativeEngine

OPEN = {"gain.bias": 40.0, "strength.bias": -40.0}


def open_model(look_ahead):
    """A model whose gains are 1 and strengths 0 whatever it hears."""
    model = random_model(NetworkShape(8, 4, 4, 1), look_ahead)
    weights = dict(model.weights)
    for name, value in OPEN.items():
        weights[name] = np.full_like(weights[name], value)
        weights[name.replace("bias", "weight")] = weights[name.replace("bias", "weight")] * 0
    return Model("open", model.shape, look_ahead, weights, model.feature_mean, model.feature_std)


@pytest.mark.parametrize("look_ahead", [0, 1, 2])
@pytest.mark.parametrize("at", [5 * HOP, 5 * HOP + 1, 6 * HOP - 1])
def test_impulse(look_ahead, at):
    x = np.zeros(20 * HOP, np.float32)
    x[at] = 0.5
    pipeline = Pipeline(open_model(look_ahead))
    y = np.concatenate([pipeline.process(h) for h in x.reshape(-1, HOP)])
    assert np.argmax(np.abs(y)) - at == pipeline.latency == HOP * (1 + look_ahead)


def test_open_gains_only_delay():
    x = np.random.default_rng(0).uniform(-0.5, 0.5, 7 * HOP + 123).astype(np.float32)
    pipeline = Pipeline(open_model(2))
    hops = np.pad(x, (0, -x.shape[0] % HOP)).reshape(-1, HOP)
    y = np.concatenate(list(aligned(hops, pipeline.process, pipeline.latency, HOP)))[: x.shape[0]]
    assert y.shape == x.shape
    assert np.abs(y - x).max() < 1e-5


def test_an_unknown_shape_is_refused_by_the_kernels():
    with pytest.raises(ValueError, match="network that this build does not know"):
        NativeEngine(weight_bytes(open_model(2)), Settings())
