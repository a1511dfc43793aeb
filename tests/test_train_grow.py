"""A grown network computes what the one it came from does, and what is new in it can be trained."""

import dataclasses

import numpy as np
import pytest

from sordino.model import Model, ModelError, NetworkShape, random_model
from train_support import require_torch

require_torch()
import torch  # noqa: E402

from sordino.train.grow import grow  # noqa: E402
from sordino.train.network import Network, Outputs  # noqa: E402

SMALL = NetworkShape(fc=16, conv1=16, conv2=24, gru=16, gru_layers=2, gain_gru=24, strength_gru=8)
LARGE = NetworkShape(fc=16, conv1=32, conv2=40, gru=40, gru_layers=2, gain_gru=32, strength_gru=24)
HEADS = ("gain", "strength", "voice")


def listen(model: Model, quantised: bool = False) -> Outputs:
    network = Network(model.shape)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in model.weights.items()})
    features = torch.rand(20, 2, 70, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return network(features, quantised)


@pytest.mark.parametrize("larger", ["conv1", "conv2", "gru", "gain_gru", "strength_gru", "all"])
@pytest.mark.parametrize("quantised", [False, True])
def test_it_computes_the_same(larger: str, quantised: bool) -> None:
    small = random_model(SMALL)
    shape = LARGE if larger == "all" else dataclasses.replace(SMALL, **{larger: getattr(LARGE, larger)})
    large = grow(small, shape)
    assert large.shape == shape
    before, after = listen(small, quantised), listen(large, quantised)
    for head in HEADS:
        torch.testing.assert_close(getattr(after, head), getattr(before, head), atol=2e-5, rtol=0)


def test_new_units_hear_and_can_be_heard() -> None:
    large = grow(random_model(SMALL), LARGE)
    network = Network(LARGE)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in large.weights.items()})
    found = network(torch.rand(20, 2, 70) * 2 - 1)
    sum(getattr(found, head).square().sum() for head in HEADS).backward()
    for head in HEADS:
        assert (getattr(network, head).weight.grad != 0).all()
    first_new = network.gru1.weight_ih[SMALL.gru : LARGE.gru]
    assert (first_new != 0).all()
    other = grow(random_model(SMALL), LARGE, seed=2)
    assert not np.array_equal(other.weights["gru1.weight_ih"], large.weights["gru1.weight_ih"])


def test_it_says_what_cannot_grow() -> None:
    model = random_model(SMALL)
    for change in ({"gru": 8}, {"gru_layers": 3}, {"conv1_taps": 7}):
        with pytest.raises(ModelError, match=f"{next(iter(change))}.*wanted at least"):
            grow(model, dataclasses.replace(LARGE, **change))
