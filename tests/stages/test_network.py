"""Stage network: integer arithmetic, the ONNX file in onnxruntime, torch's GRU, quantisation parity."""

import numpy as np
import onnx
import onnxruntime
import pytest

from kernels import Inputs, every_build, kernels, same_bytes
from sordino.chain.features import normalise, normaliser
from sordino.chain.model import Model, ModelError, NetworkShape, random_model
from sordino.chain.network import (
    Network,
    QuantisedMatrix,
    _Gru,
    _IntegerLayer,
    matrices,
    quantise,
    quantise_activation,
)
from sordino.chain.numerics import fast_tanh, sigmoid
from sordino.chain.params import FEATURES
from sordino.formats.onnx import read_onnx, write_onnx
from support import MODELS

SHAPES = [NetworkShape(16, 8, 12, 2, 20), NetworkShape(8, 12, 8, blocks=1, taps=1)]


def some_features(model, frames, seed=0):
    rng = np.random.default_rng(seed)
    spread = 1.5 * rng.standard_normal((frames, FEATURES))
    return (model.feature_mean + model.feature_std * spread).astype(np.float32)


def run_onnx(path, x, steps):
    """Outputs of the ONNX file on normalised features, its states carried through chunks of `steps` frames."""
    session = onnxruntime.InferenceSession(str(path))
    states = {i.name: np.zeros(i.shape, np.float32) for i in session.get_inputs() if i.name != "features"}
    outputs = []
    for start in range(0, x.shape[0], steps):
        names = [o.name for o in session.get_outputs()]
        got = dict(zip(names, session.run(None, {"features": x[start : start + steps], **states}), strict=True))
        states = {name: got[name.replace("_past", "_next")] for name in states}
        outputs.append(np.concatenate([got["gain"], got["strength"], got["voice"]], axis=1))
    return np.concatenate(outputs)


def check_against_onnxruntime(model, path, steps):
    write_onnx(model, path)
    f = some_features(model, 60)
    scaled = np.stack([normalise(row, *normaliser(model.feature_mean, model.feature_std)) for row in f])
    network = Network(read_onnx(path), quantised=False)
    reference = np.stack([np.concatenate([d.gain, d.strength, [d.voice]]) for d in map(network.step, f)])
    assert np.abs(run_onnx(path, scaled, steps) - reference).max() < 1e-5


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("steps", [1, 7, 60])
def test_onnxruntime_gives_the_float_outputs(tmp_path, shape, steps):
    check_against_onnxruntime(random_model(shape), tmp_path / "model.onnx", steps)


def test_onnxruntime_gives_the_float_outputs_of_the_shipped_model(tmp_path):
    check_against_onnxruntime(read_onnx(MODELS / "standard.onnx"), tmp_path / "model.onnx", 60)


@pytest.mark.parametrize("shape", SHAPES)
def test_onnx_file_is_reproducible_and_complete(tmp_path, shape):
    model = random_model(shape, look_ahead=1, name="some")
    write_onnx(model, tmp_path / "a.onnx")
    again = read_onnx(tmp_path / "a.onnx")
    write_onnx(again, tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert (again.name, again.look_ahead, again.shape) == ("some", 1, shape)
    assert all(np.array_equal(model.weights[k], again.weights[k]) for k in model.weights)


def test_bad_models_are_refused(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="not an ONNX file"):
        read_onnx(tmp_path / "x.onnx")
    with pytest.raises(FileNotFoundError):
        read_onnx(tmp_path / "none.onnx")
    good = random_model(SHAPES[0])
    write_onnx(good, tmp_path / "other.onnx")
    other = onnx.load(tmp_path / "other.onnx")
    next(p for p in other.metadata_props if p.key == "sordino.shape").value = '{"layers": 3}'
    onnx.save(other, tmp_path / "other.onnx")
    with pytest.raises(ModelError, match=r"sizes of its network are .*layers.* wants channels, across"):
        read_onnx(tmp_path / "other.onnx")
    with pytest.raises(ModelError, match=r"weight gain_bias is \(3,\), wanted \(34,\)"):
        short = good.weights | {"gain_bias": np.zeros(3, np.float32)}
        Model("x", good.shape, 2, short, good.feature_mean, good.feature_std)
    with pytest.raises(ModelError, match="look-ahead is 3"):
        good.with_look_ahead(3)


def test_integer_sums_are_exact():
    """Beyond what float32 holds too."""
    rng = np.random.default_rng(1)
    weight = rng.integers(-127, 128, (34, 2600)).astype(np.int8)
    weight[0] = np.where(rng.random(2600) < 0.5, -127, 127)
    matrix = QuantisedMatrix(weight, np.ones(34, np.float32), np.zeros(34, np.float32))
    x = rng.uniform(0.9, 1, 2600).astype(np.float32) * np.sign(weight[0])
    exact = (quantise_activation(x).astype(np.int64) - 64) @ weight.T.astype(np.int64)
    assert exact.max() > 2**24
    assert np.array_equal(_IntegerLayer(matrix)(x), exact.astype(np.float32))


def test_quantised_weights_are_within_half_a_step():
    model = random_model(SHAPES[0])
    for name, (weight, _) in matrices(model).items():
        quantised = quantise(model)[name]
        restored = quantised.weight * (quantised.scale * 63)[:, None]
        assert np.abs(restored - weight).max() <= np.abs(weight).max() / 127 * 0.51, name


def test_quantised_network_stays_near_the_float_one():
    model = random_model(SHAPES[0])
    a, b = Network(model, quantised=True), Network(model, quantised=False)
    f = some_features(model, 100)
    difference = np.stack([a.step(row).gain - b.step(row).gain for row in f])
    assert np.sqrt(np.mean(difference**2)) < 0.03


def test_reset_forgets():
    network = Network(random_model(SHAPES[0]))
    f = some_features(random_model(SHAPES[0]), 5)
    first = [network.step(row).gain for row in f]
    network.reset()
    assert all(np.array_equal(network.step(row).gain, gain) for row, gain in zip(f, first, strict=True))


def test_gru_agrees_with_torch():
    torch = pytest.importorskip("torch")
    weights = random_model(SHAPES[0]).weights
    gru, own = torch.nn.GRU(20, 20), _Gru(weights, "memory.gru", quantised=False)
    with torch.no_grad():
        for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            getattr(gru, f"{k}_l0").copy_(torch.from_numpy(weights[f"memory.gru.{k}"]))
        x = torch.randn(20, 1, 20, generator=torch.Generator().manual_seed(0))
        wanted = gru(x)[0][:, 0].numpy()
    h, got = np.zeros(20, np.float32), []
    for row in x[:, 0].numpy():
        h = own.step(own.from_input(row), h)
        got.append(h)
    assert np.abs(np.stack(got) - wanted).max() < 2e-6


@every_build
def test_activation_parity(build):
    for name, x in [*Inputs(512), ("grid", np.linspace(-1.2, 1.2, 512, dtype=np.float32))]:
        q = np.zeros(512, np.uint8)
        kernels(build).run("quantise", q, x.copy(), 512)
        same_bytes(q, quantise_activation(x), name)
        y = x * np.float32(20)
        kernels(build).run("sigmoid", y, 512)
        same_bytes(y, sigmoid(x * np.float32(20)), name)
        y = x * np.float32(20)
        kernels(build).run("fast_tanh", y, 512)
        same_bytes(y, fast_tanh(x * np.float32(20)), name)


@every_build
def test_gru_parity(build):
    size, rng = 36, np.random.default_rng(3)
    h, q = rng.uniform(-1, 1, size).astype(np.float32), np.zeros(size, np.uint8)
    given, state = rng.normal(0, 3, (2, 3 * size)).astype(np.float32)
    gru = _Gru(random_model(NetworkShape(16, size, 8, 1)).weights, "blocks.0.up", quantised=True)
    gru.from_state = lambda _: state
    wanted = gru.step(given, h)
    kernels(build).run("gru", h, q, given, state, size)
    same_bytes(h, wanted, "state")
    same_bytes(q, quantise_activation(wanted), "its bytes")


@every_build
def test_squash_parity(build):
    rng = np.random.default_rng(4)
    x, scale, shift = rng.normal(0, 2, (3, 64)).astype(np.float32)
    q = np.zeros(64, np.uint8)
    kernels(build).run("squash", q, x, scale, shift, 64)
    same_bytes(q, quantise_activation(fast_tanh(x * scale + shift)), "squash")
