"""The torch twin of the network: against torch's own GRU, against the reference, in float and in integers."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from sordino.chain.features import normalise, normaliser
from sordino.chain.model import NetworkShape, random_model
from sordino.chain.network import Network as Reference
from sordino.chain.network import quantise_activation as reference_activation
from sordino.chain.params import BANDS, HOP
from sordino.chain.pipeline import Pipeline
from train_support import require_torch

require_torch()
import torch  # noqa: E402

from sordino.train import network as twin  # noqa: E402
from sordino.train import residual_gru  # noqa: E402
from sordino.train.checkpoint import blend, to_model  # noqa: E402
from sordino.train.config import from_dict, load_config  # noqa: E402
from sordino.train.gru import library_recurrence, recurrence  # noqa: E402
from sordino.train.network import Gru, Network  # noqa: E402
from sordino.train.optimise import keep_rows  # noqa: E402
from sordino.train.quantise import fake_weight, quantise_activation  # noqa: E402

SHAPE = NetworkShape(channels=16, across=16, over_time=32, blocks=2, memory=16)


def loaded(model) -> Network:
    network = Network(model.shape)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in model.weights.items()})
    return network


def features(steps: int, rows: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(5).uniform(-1, 1, (steps, rows, 70)).astype(np.float32))


def test_recurrence_equals_torch() -> None:
    torch.manual_seed(0)
    layer = torch.nn.GRU(8, 16)
    x, start = torch.randn(20, 3, 8), torch.rand(3, 16) - 0.5
    ours = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    weight_ih, weight_hh, bias_ih, bias_hh = ours
    found = recurrence(x @ weight_ih.t() + bias_ih, weight_hh, bias_hh, start)
    wanted, _ = layer(x, start[None])
    torch.testing.assert_close(found, wanted)
    (found**3).sum().backward()
    (wanted**3).sum().backward()
    for mine, theirs in zip(ours, layer.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, atol=1e-5, rtol=1e-4)


def test_library_recurrence_equals_ours() -> None:
    torch.manual_seed(1)
    layer = torch.nn.GRU(8, 16)
    weight_ih, weight_hh, bias_ih, bias_hh = layer.parameters()
    x, start = torch.randn(20, 3, 8), torch.rand(3, 16) - 0.5
    ours = recurrence(x @ weight_ih.t() + bias_ih, weight_hh, bias_hh, start)
    torch.testing.assert_close(library_recurrence(x, list(layer.parameters()), start), ours)


@pytest.mark.parametrize("quantised", [False, True])
def test_a_signal_may_go_on_where_another_ended(quantised: bool) -> None:
    torch.manual_seed(2)
    layer, x = Gru(8, 12), torch.randn(20, 3, 8)
    whole = layer(x, None, quantised)
    second = layer(x[9:], whole[8].detach(), quantised)
    torch.testing.assert_close(second, whole[9:])
    assert not torch.allclose(layer(x[9:], None, quantised)[0], whole[9])


def test_network_gives_its_last_states_and_starts_from_given_ones() -> None:
    torch.manual_seed(3)
    network, x = Network(SHAPE), torch.rand(30, 4, 70) - 0.5
    found = network(x)
    wanted = {"time0": (4, BANDS * SHAPE.over_time), "time1": (4, BANDS * SHAPE.over_time), "memory": (4, SHAPE.memory)}
    assert {name: state.shape for name, state in found.states.items()} == wanted
    again = network(x, start=found.states)
    assert all(not torch.equal(again.states[name], state) for name, state in found.states.items())
    torch.testing.assert_close(again.gain[-1], found.gain[-1], atol=0.05, rtol=0.05)  # it forgets


def test_rows_are_kept_by_chance() -> None:
    states = {"gru1": torch.ones(2000, 3), "gru2": torch.ones(2000, 5)}
    kept = keep_rows(states, 2000, 0.8)
    assert abs(kept["gru1"][:, 0].mean() - 0.8) < 0.05
    assert torch.equal(kept["gru1"][:, 0], kept["gru2"][:, 4])  # a row is kept whole
    assert keep_rows(states, 1999, 0.8) == keep_rows(states, 2000, 0.0) == keep_rows({}, 7, 0.8) == {}


@pytest.mark.parametrize("shape", [SHAPE, NetworkShape(16, 16, 16, blocks=1, taps=1)])
@pytest.mark.parametrize("quantised", [False, True])
def test_twin_of_the_reference(shape: NetworkShape, quantised: bool) -> None:
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
    monkeypatch.setattr(twin, "available", lambda *_: False)
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
    squash = twin.Squash(channels)
    bias = torch.randn(channels, requires_grad=True)
    sizes = [(3 * size, channels), (3 * size, size), (3 * size,), (3 * size,), (channels, size)]
    groups = [tuple((0.3 * torch.randn(s)).requires_grad_() for s in sizes) for _ in range(directions)]
    start = torch.randn(7 * BANDS, size) * 0.5 if over == "time" else None
    found, _ = residual_gru.residual_gru(x, over, (squash.scale, squash.shift), bias, groups, start)
    wanted, _ = twin._in_torch(x, over, squash, bias, groups, start, False)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)
    inputs = [x, squash.scale, squash.shift, bias, *(t for group in groups for t in group)]
    for mine, theirs in zip(
        torch.autograd.grad(found.sin().sum(), inputs), torch.autograd.grad(wanted.sin().sum(), inputs), strict=True
    ):
        torch.testing.assert_close(mine, theirs, atol=2e-3, rtol=1e-3)


def test_activation_format_equals_reference() -> None:
    x = np.linspace(-1.2, 1.2, 1001, dtype=np.float32)
    wanted = (reference_activation(x).astype(np.float32) - 64) / 63
    np.testing.assert_allclose(quantise_activation(torch.from_numpy(x)).numpy(), wanted, atol=1e-6)


def test_fake_weight_has_127_steps_and_a_straight_gradient() -> None:
    weight = torch.randn(5, 7, requires_grad=True)
    found = fake_weight(weight)
    steps = found / found.detach().abs().amax(1, keepdim=True) * 127
    torch.testing.assert_close(steps, steps.round(), atol=1e-4, rtol=0)
    found.sum().backward()
    torch.testing.assert_close(weight.grad, torch.ones(5, 7))


def test_a_checkpoint_becomes_a_model_that_runs() -> None:
    config = load_config("standard")
    assert from_dict(config.to_dict()) == config
    network = Network(config.network)
    assert sum(p.numel() for p in network.parameters()) < 100_000
    state = {"config": config.to_dict(), "ema": network.state_dict(), "feature_mean": torch.zeros(70)}
    state |= {"feature_std": torch.ones(70), "seed": 1, "manifest_sha256": "", "steps": 0, "hours": 0, "fresh_hours": 0}
    model = to_model(state | {"started_from": {}})
    pipeline = Pipeline(model)
    noise = np.random.default_rng(1).normal(0, 0.1, (6, HOP)).astype(np.float32)
    out = np.stack([pipeline.process(hop) for hop in noise])
    assert np.isfinite(out).all() and np.abs(out).max() > 1e-3


def test_a_blend_lies_between_two_runs_of_one_network() -> None:
    run = {"seed": 1, "steps": 2, "hours": 3.0}
    later, earlier = (replace(random_model(SHAPE, seed=seed), record=run) for seed in (3, 4))
    mixed = blend(later, replace(earlier, feature_mean=later.feature_mean, feature_std=later.feature_std), 0.25)
    for name, weight in mixed.weights.items():
        np.testing.assert_allclose(weight, 0.75 * later.weights[name] + 0.25 * earlier.weights[name], atol=1e-6)
    assert mixed.record["blended_with"] == {**run, "share": 0.25}
    again = blend(mixed, later, 0.5)
    first, last = (model.weights["patch.bias"] for model in (earlier, later))
    np.testing.assert_allclose(again.weights["patch.bias"], 0.875 * last + 0.125 * first, atol=1e-6)
    assert again.record["blended_with"] == {**run, "share": 0.5, "after": {**run, "share": 0.25}}
    with pytest.raises(ValueError, match="two runs of one network"):
        blend(later, replace(later, feature_mean=later.feature_mean + 1), 0.5)
    with pytest.raises(ValueError, match="one network"):
        blend(later, replace(later, feature_std=later.feature_std * 2), 0.5)


def test_the_fused_recurrence_leaves_denormal_numbers_to_others():
    """In a process of its own: a library that is linked with -ffast-math flushes them from then on."""
    code = (
        "import numpy, torch; from sordino.train import residual_gru as r;"
        "print(r.available(torch.zeros(1, 1, 34, 16), 16), numpy.float32(1e-40) * numpy.float32(0.5) > 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == "True", done.stdout
