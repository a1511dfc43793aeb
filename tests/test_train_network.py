"""The torch twin of the network: against torch's own GRU, against the reference, in float and in integers."""

from dataclasses import replace

import numpy as np
import pytest

from sordino.chain.features import normalise, normaliser
from sordino.chain.model import NetworkShape, random_model
from sordino.chain.network import Network as Reference
from sordino.chain.network import quantise_activation as reference_activation
from sordino.chain.params import BANDS
from train_support import require_torch

require_torch()
import torch  # noqa: E402

from sordino.train.checkpoint import Calibration, blend, calibrate, uncalibrated  # noqa: E402
from sordino.train.gru import library_recurrence, recurrence  # noqa: E402
from sordino.train.network import Gru, Network  # noqa: E402
from sordino.train.optimise import keep_rows  # noqa: E402
from sordino.train.quantise import fake_weight, quantise_activation  # noqa: E402

SHAPE = NetworkShape(fc=16, conv1=20, conv2=24, gru=12, gru_layers=2, gain_gru=14, strength_gru=10)


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
    whole = layer(x, None, quantised, torch.float32)
    second = layer(x[9:], whole[8].detach(), quantised, torch.float32)
    torch.testing.assert_close(second, whole[9:])
    assert not torch.allclose(layer(x[9:], None, quantised, torch.float32)[0], whole[9])


def test_network_gives_its_last_states_and_starts_from_given_ones() -> None:
    torch.manual_seed(3)
    network, x = Network(SHAPE), torch.rand(30, 4, 70) - 0.5
    found = network(x)
    assert {name: state.shape for name, state in found.states.items()} == {
        name: (4, size) for name, _, size in SHAPE.grus()
    }
    again = network(x, start=found.states)
    assert all(not torch.equal(again.states[name], state) for name, state in found.states.items())
    torch.testing.assert_close(again.gain[-1], found.gain[-1], atol=0.05, rtol=0.05)  # it forgets


def test_rows_are_kept_by_chance() -> None:
    states = {"gru1": torch.ones(2000, 3), "gru2": torch.ones(2000, 5)}
    kept = keep_rows(states, 2000, 0.8)
    assert abs(kept["gru1"][:, 0].mean() - 0.8) < 0.05
    assert torch.equal(kept["gru1"][:, 0], kept["gru2"][:, 4])  # a row is kept whole
    assert keep_rows(states, 1999, 0.8) == keep_rows(states, 2000, 0.0) == keep_rows({}, 7, 0.8) == {}


@pytest.mark.parametrize("quantised", [False, True])
def test_network_equals_reference(quantised: bool) -> None:
    model = random_model(SHAPE, seed=3)
    network = Network(SHAPE)
    network.load_state_dict({name: torch.from_numpy(w) for name, w in model.weights.items()})
    features = np.random.default_rng(4).normal(model.feature_mean, model.feature_std, (40, 70)).astype(np.float32)
    twin_input = np.stack([normalise(f, *normaliser(model.feature_mean, model.feature_std)) for f in features])
    with torch.no_grad():
        found = network(torch.from_numpy(twin_input)[:, None], quantised)
    reference = Reference(model, quantised)
    wanted = [reference.step(f) for f in features]
    # A value on the edge of two integers may round differently after another order of sums.
    tolerance = 0.02 if quantised else 2e-5
    for name in ("gain", "strength"):
        gains = torch.sigmoid(getattr(found, name))[:, 0].numpy()
        np.testing.assert_allclose(gains, np.stack([getattr(w, name) for w in wanted]), atol=tolerance)
    np.testing.assert_allclose(torch.sigmoid(found.voice)[:, 0], [w.voice for w in wanted], atol=tolerance)


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


def test_calibration_moves_the_logits_of_the_gains_and_nothing_else() -> None:
    model = random_model(SHAPE, seed=3)
    moved = calibrate(model, Calibration(0.8, 0.5))
    features = np.random.default_rng(4).normal(model.feature_mean, model.feature_std).astype(np.float32)
    before, after = (Reference(one, quantised=False).step(features) for one in (model, moved))
    logit = np.log(before.gain / (1 - before.gain))
    np.testing.assert_allclose(after.gain, 1 / (1 + np.exp(-(0.8 * logit + 0.5))), atol=1e-5)
    np.testing.assert_array_equal(after.strength, before.strength)
    assert moved.record["calibration"] == {"slope": 0.8, "offset": 0.5, "smoothing": 0.0}
    assert uncalibrated(model) is model


@pytest.mark.parametrize("smoothing", [0.0, 1.0, 1.5])
def test_a_calibration_can_be_taken_back(smoothing: float) -> None:
    model = random_model(SHAPE, seed=3)
    back = uncalibrated(calibrate(model, Calibration(0.8, 0.5, smoothing)))
    assert "calibration" not in back.record
    for name, weight in model.weights.items():
        np.testing.assert_allclose(back.weights[name], weight, atol=1e-3 if smoothing else 1e-6)


def test_smoothed_gains_follow_their_neighbours() -> None:
    matrix = Calibration(0.8, smoothing=1.0).matrix()
    np.testing.assert_allclose(matrix.sum(1), 0.8)
    np.testing.assert_allclose(matrix @ np.ones(BANDS), 0.8)
    middle = matrix[17]
    assert middle.argmax() == 17 and middle[16] == pytest.approx(middle[17] * np.exp(-0.5)) and middle[12] < 1e-5


def test_a_blend_lies_between_two_runs_of_one_network() -> None:
    run = {"seed": 1, "steps": 2, "hours": 3.0}
    later, earlier = (replace(random_model(SHAPE, seed=seed), record=run) for seed in (3, 4))
    mixed = blend(later, replace(earlier, feature_mean=later.feature_mean, feature_std=later.feature_std), 0.25)
    for name, weight in mixed.weights.items():
        np.testing.assert_allclose(weight, 0.75 * later.weights[name] + 0.25 * earlier.weights[name], atol=1e-6)
    assert mixed.record["blended_with"] == {**run, "share": 0.25}
    again = blend(mixed, later, 0.5)
    np.testing.assert_allclose(
        again.weights["fc.bias"], 0.875 * later.weights["fc.bias"] + 0.125 * earlier.weights["fc.bias"], atol=1e-6
    )
    assert again.record["blended_with"] == {**run, "share": 0.5, "after": {**run, "share": 0.25}}
    with pytest.raises(ValueError, match="two runs of one network"):
        blend(later, replace(later, feature_mean=later.feature_mean + 1), 0.5)
    with pytest.raises(ValueError, match="one network"):
        blend(later, replace(later, feature_std=later.feature_std * 2), 0.5)
