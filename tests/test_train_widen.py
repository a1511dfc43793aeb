"""Widening a model: it computes the same, the new units are alive, and a run may start from it."""

from dataclasses import replace

import numpy as np
import pytest

from sordino.model import Model, NetworkShape, random_model
from sordino.params import FEATURES
from train_support import require_torch

require_torch()
import torch  # noqa: E402

from sordino.train.network import Network, Outputs  # noqa: E402
from sordino.train.widen import widen  # noqa: E402

NARROW = NetworkShape(fc=12, conv1=10, conv2=14, gru=16, gru_layers=2, gain_gru=18, strength_gru=8)
WIDE = NetworkShape(fc=16, conv1=12, conv2=20, gru=22, gru_layers=2, gain_gru=24, strength_gru=12)


def _network(model: Model) -> Network:
    network = Network(model.shape)
    network.load_state_dict({name: torch.from_numpy(weight) for name, weight in model.weights.items()})
    return network


def _heard(network: Network) -> Outputs:
    features = torch.rand(60, 3, FEATURES, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return network(features)


@pytest.mark.parametrize("layer", ["fc", "conv1", "conv2", "gru", "gain_gru", "strength_gru", "every layer"])
def test_a_wider_model_computes_the_same(layer: str) -> None:
    model = random_model(NARROW)
    shape = WIDE if layer == "every layer" else replace(NARROW, **{layer: getattr(WIDE, layer)})
    wide = widen(model, shape, seed=5)
    assert wide.shape == shape and wide.record == model.record
    with torch.no_grad():
        before, after = _heard(_network(model)), _heard(_network(wide))
    for name in ("gain", "strength", "voice"):
        torch.testing.assert_close(getattr(after, name), getattr(before, name), rtol=1e-5, atol=1e-5)


def test_what_is_new_learns_from_the_first_step() -> None:
    network = _network(widen(random_model(NARROW), WIDE, seed=5))
    found = _heard(network)
    (found.gain.square().mean() + found.strength.square().mean() + found.voice.square().mean()).backward()
    old_and_new = {"conv2.weight": (NARROW.conv2, NARROW.conv1), "gru2.weight_ih": (NARROW.gru,) * 2}
    for name, (old, new) in (old_and_new | {"gain.weight": (1, NARROW.conv2)}).items():
        weight = network.get_parameter(name)
        assert not weight[:old, new].any(), f"{name}: the old hear the new before anything was learnt"
        assert weight.grad[:old, new].abs().max() > 0, f"{name}: no gradient"


def test_the_same_seed_gives_the_same_units() -> None:
    model, state = random_model(NARROW), torch.get_rng_state()
    first, again, other = (widen(model, WIDE, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), state)
    assert all(np.array_equal(first.weights[name], again.weights[name]) for name in first.weights)
    assert not np.array_equal(first.weights["gru1.weight_hh"], other.weights["gru1.weight_hh"])


@pytest.mark.parametrize("change", [{"gru": 8}, {"gru_layers": 1}, {"conv1_taps": 3}])
def test_a_shape_that_does_not_hold_the_model_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        widen(random_model(NARROW), replace(WIDE, **change), seed=1)
