"""The network whose weights are shared by all bands: torch twin against the reference, compiled GRUs against torch."""

import numpy as np
import pytest

from sordino.chain.band_network import BandNetwork as Reference
from sordino.chain.features import normalise, normaliser
from sordino.chain.model import BandShape, ModelError, NetworkShape, random_model
from sordino.chain.network import Network as DenseReference
from sordino.chain.params import BANDS, HOP
from sordino.chain.pipeline import Pipeline
from train_support import require_torch

require_torch()
import torch  # noqa: E402

from sordino.train import band_network, residual_gru  # noqa: E402
from sordino.train.band_network import BandNetwork  # noqa: E402
from sordino.train.checkpoint import to_model  # noqa: E402
from sordino.train.config import from_dict, load_config  # noqa: E402
from sordino.train.networks import make_network  # noqa: E402

SHAPE = BandShape(channels=16, across=16, over_time=32, blocks=2, memory=16)


def loaded(model) -> BandNetwork:
    network = BandNetwork(model.shape)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in model.weights.items()})
    return network


def features(steps: int, rows: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(5).uniform(-1, 1, (steps, rows, 70)).astype(np.float32))


@pytest.mark.parametrize("shape", [SHAPE, BandShape(16, 16, 16, blocks=1, taps=1)])
@pytest.mark.parametrize("quantised", [False, True])
def test_twin_of_the_reference(shape: BandShape, quantised: bool) -> None:
    model = random_model(shape, seed=3)
    offset, factor = normaliser(model.feature_mean, model.feature_std)
    raw = np.random.default_rng(4).normal(0, 2, (12, 70)).astype(np.float32)
    reference = Reference(model, quantised)
    wanted = [reference.step(f) for f in raw]
    given = torch.from_numpy(np.stack([normalise(f, offset, factor) for f in raw]))[:, None]
    found = loaded(model)(given, quantised)
    # In integers a sum that lies on the edge between two steps may fall to either side.
    close = {"atol": 2e-2 if quantised else 2e-5, "rtol": 0}
    for name in ("gain", "strength"):
        values = torch.sigmoid(getattr(found, name))[:, 0]
        torch.testing.assert_close(values, torch.from_numpy(np.stack([getattr(d, name) for d in wanted])), **close)
    voice = torch.sigmoid(found.voice)[:, 0]
    torch.testing.assert_close(voice, torch.tensor(np.array([d.voice for d in wanted])), **close)
    assert np.std([d.gain for d in wanted]) > 0.05, "the decisions differ"


@pytest.mark.parametrize("quantised", [False, True])
def test_compiled_and_torch_agree(quantised: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model(SHAPE, seed=6)
    given = features(9, 3)
    if not residual_gru.available(torch.zeros(1, 1, BANDS, 16), 16):
        pytest.skip("no C++ compiler")

    def run() -> tuple[torch.Tensor, list[torch.Tensor]]:
        network = loaded(model)
        first = network(given, quantised)
        out = network(given, quantised, start=first.states)
        loss = out.gain.square().mean() + out.strength.sin().mean() + out.voice.mean()
        return out.gain.detach(), list(torch.autograd.grad(loss, list(network.parameters())))

    gain, gradients = run()
    monkeypatch.setattr(band_network, "available", lambda *_: False)
    wanted_gain, wanted_gradients = run()
    torch.testing.assert_close(gain, wanted_gain, atol=3e-2 if quantised else 1e-5, rtol=0)
    if quantised:
        return  # activations at the edge of a step make gradients that are not comparable one by one
    for found, wanted in zip(gradients, wanted_gradients, strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("over, directions", [("time", 1), ("bands", 2)])
@pytest.mark.parametrize("channels, size", [(16, 16), (32, 64), (48, 32)])
def test_residual_gru_equals_torch(over: str, directions: int, channels: int, size: int) -> None:
    torch.manual_seed(1)
    x = torch.randn(5, 7, BANDS, channels, requires_grad=True)
    if not residual_gru.available(x, size):
        pytest.skip("no C++ compiler")
    squash = band_network.Squash(channels)
    bias = torch.randn(channels, requires_grad=True)
    sizes = [(3 * size, channels), (3 * size, size), (3 * size,), (3 * size,), (channels, size)]
    groups = [tuple((0.3 * torch.randn(s)).requires_grad_() for s in sizes) for _ in range(directions)]
    start = torch.randn(7 * BANDS, size) * 0.5 if over == "time" else None
    found, _ = residual_gru.residual_gru(x, over, (squash.scale, squash.shift), bias, groups, start)
    wanted, _ = band_network._in_torch(x, over, squash, bias, groups, start, False)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    inputs = [x, squash.scale, squash.shift, bias, *(t for group in groups for t in group)]
    for mine, theirs in zip(
        torch.autograd.grad(found.sin().sum(), inputs), torch.autograd.grad(wanted.sin().sum(), inputs), strict=True
    ):
        torch.testing.assert_close(mine, theirs, atol=2e-3, rtol=1e-3)


def test_a_checkpoint_becomes_a_model_that_runs() -> None:
    config = load_config("standard")
    assert from_dict(config.to_dict()) == config and isinstance(config.network, BandShape)
    network = make_network(config.network)
    assert sum(p.numel() for p in network.parameters()) < 100_000
    state = {"config": config.to_dict(), "ema": network.state_dict(), "feature_mean": torch.zeros(70)}
    state |= {"feature_std": torch.ones(70), "seed": 1, "manifest_sha256": "", "steps": 0, "hours": 0, "fresh_hours": 0}
    model = to_model(state | {"started_from": {}})
    pipeline = Pipeline(model)
    noise = np.random.default_rng(1).normal(0, 0.1, (6, HOP)).astype(np.float32)
    out = np.stack([pipeline.process(hop) for hop in noise])
    assert np.isfinite(out).all() and np.abs(out).max() > 1e-3


def test_families_are_told_apart() -> None:
    shared = random_model(SHAPE)
    dense = random_model(NetworkShape(16, 16, 16, 16, 1, 16, 16))
    with pytest.raises(ModelError, match="wanted dense layers"):
        DenseReference(shared)
    with pytest.raises(ModelError, match="wanted one with weights shared by bands"):
        Reference(dense)
