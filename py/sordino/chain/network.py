"""Stage network: in float and in the kernels' integers. All bands share its weights.

    patch    5 neighbouring bands x taps frames x 4 features, and a learnt label of the band, tanh    [BANDS, channels]
    near     plus tanh of a layer over 3 neighbouring bands
    blocks   plus a GRU across the bands, upwards and downwards, weights shared by all frames;
             plus a GRU over time, weights shared by all bands, a state for each band
    memory   after the first block: plus a dense GRU over time of the whole spectrum
    heads    one weight vector for all bands, a bias for each

What is added to is never rounded; each layer sees it through a tanh, so that 7 bits hold it. In integers every layer
input is 7 bits (1..127 around 64), every weight 8 bits with one scale per output row, every sum 32 bits and exact; only
scales, biases and gates are float32, and gates and tanh inside the network are the fast ones of numerics.py.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .features import normalise, normaliser
from .model import BAND_FEATURES, NEAR_BANDS, PATCH_BANDS, WIDENED, Model
from .numerics import Float32, fast_sigmoid, fast_tanh, sigmoid, tanh
from .params import ACTIVATION_OFFSET, ACTIVATION_SCALE, BANDS, FEATURES, WEIGHT_MAX
from .records import Decision

EXACT_FLOAT32_COLUMNS = 2**24 // (WEIGHT_MAX * ACTIVATION_SCALE)
"""Up to so many products float32 sums of integers are exact in any order; beyond that float64 is used."""


@dataclass(frozen=True)
class QuantisedMatrix:
    """Weights of a layer in 8 bits.

    weight  (rows, columns) int8
    scale   (rows,) float32, value of weight 1 times activation 1
    bias    (rows,) float32
    """

    weight: NDArray[np.int8]
    scale: Float32
    bias: Float32


def quantise_activation(x: Float32) -> NDArray[np.uint8]:
    """Activations in -1..1 as 1..127 around 64. C twin: sordino_quantise in wasm/nn/network.c."""
    y = x * np.float32(ACTIVATION_SCALE) + np.float32(ACTIVATION_OFFSET + 0.5)
    return np.minimum(np.maximum(y, np.float32(1)), np.float32(127.5)).astype(np.uint8)


def quantise_matrix(weight: Float32, bias: Float32) -> QuantisedMatrix:
    """Round a (rows, columns) float matrix to 8 bits, each row by its own largest value."""
    w = weight.astype(np.float64)
    largest = np.maximum(np.abs(w).max(axis=1), 1e-12)
    rounded = np.rint(w * (WEIGHT_MAX / largest)[:, None])
    scale = largest / (WEIGHT_MAX * ACTIVATION_SCALE)
    return QuantisedMatrix(rounded.astype(np.int8), scale.astype(np.float32), bias.astype(np.float32))


def _neighbours(x: Float32, count: int) -> Float32:
    """Each band with its neighbours, zeros beyond the ends; (BANDS, n) -> (BANDS, count * n), the lowest band first."""
    reach = count // 2
    padded = np.pad(x, ((reach, reach), (0, 0)))
    return np.concatenate([padded[i : i + BANDS] for i in range(count)], axis=1)


def matrices(model: Model) -> dict[str, tuple[Float32, Float32]]:
    """Every (weight, bias) of a model as a matrix, in the order of the weight file."""
    w, found = model.weights, {}
    for name, parts in model.shape.matrices().items():
        biases = [part.replace("weight", "bias") for part in parts]
        found[name] = np.concatenate([w[part] for part in parts]), np.concatenate([w[bias] for bias in biases])
    return found


def quantise(model: Model) -> dict[str, QuantisedMatrix]:
    """All matrices of a model in 8 bits, in the order of the weight file."""
    return {name: quantise_matrix(*pair) for name, pair in matrices(model).items()}


class _FloatLayer:
    """A dense layer over the last axis."""

    def __init__(self, weight: Float32, bias: Float32) -> None:
        self.weight, self.bias = weight.T, bias

    def __call__(self, x: Float32) -> Float32:
        return x @ self.weight + self.bias


class _IntegerLayer:
    """The same with integer products."""

    def __init__(self, matrix: QuantisedMatrix) -> None:
        exact = np.float32 if matrix.weight.shape[1] <= EXACT_FLOAT32_COLUMNS else np.float64
        self.weight, self.scale, self.bias = matrix.weight.T.astype(exact), matrix.scale, matrix.bias

    def __call__(self, x: Float32) -> Float32:
        q = quantise_activation(x).astype(self.weight.dtype) - ACTIVATION_OFFSET
        return (q @ self.weight).astype(np.float32) * self.scale + self.bias


def _layer(weight: Float32, bias: Float32, quantised: bool) -> _FloatLayer | _IntegerLayer:
    return _IntegerLayer(quantise_matrix(weight, bias)) if quantised else _FloatLayer(weight, bias)


class _Gru:
    """One GRU update of any number of rows (torch's gate order r, z, n; reset after the product)."""

    def __init__(self, weights: dict[str, Float32], name: str, quantised: bool) -> None:
        self.from_input = _layer(weights[f"{name}.weight_ih"], weights[f"{name}.bias_ih"], quantised)
        self.from_state = _layer(weights[f"{name}.weight_hh"], weights[f"{name}.bias_hh"], quantised)
        self.sigmoid, self.tanh = (fast_sigmoid, fast_tanh) if quantised else (sigmoid, tanh)

    def step(self, given: Float32, h: Float32) -> Float32:
        """given: from_input of the input, (..., 3 size); h: (..., size). Returns the new h."""
        n, state = h.shape[-1], self.from_state(h)
        reset = self.sigmoid(given[..., :n] + state[..., :n])
        keep = self.sigmoid(given[..., n : 2 * n] + state[..., n : 2 * n])
        new = self.tanh(given[..., 2 * n :] + reset * state[..., 2 * n :])
        return new + keep * (h - new)


class Network:
    """The network of one stream; keeps its state.

    model      what to run
    quantised  True: integer products of 8-bit weights and 7-bit activations, fast gates; False: float32
    source     Valin et al. 2020, arXiv:2008.04259 (what goes in and comes out); C twin: generated from
               wasm/nn/kernels/network.c.in; torch twin: sordino.train.network
    """

    def __init__(self, model: Model, quantised: bool = True) -> None:
        self.shape, self.weights = model.shape, model.weights
        self.tanh = fast_tanh if quantised else tanh
        self.offset, self.factor = normaliser(model.feature_mean, model.feature_std)
        w = model.weights
        self.layers = {n: _layer(w[f"{n}.weight"], w[f"{n}.bias"], quantised) for n in self.shape.linears()}
        self.grus = {name: _Gru(w, name, quantised) for name in self.shape.grus()}
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        s = self.shape
        silent = np.zeros((BANDS, PATCH_BANDS * BAND_FEATURES), np.float32)
        self.frames = deque([silent] * s.taps, s.taps)
        self.states: dict[str, Float32] = {"memory.gru": np.zeros(s.memory, np.float32)}
        for block in range(s.blocks):
            self.states[f"blocks.{block}.time"] = np.zeros((BANDS, s.over_time), np.float32)

    def step(self, features: Float32) -> Decision:
        """Decide on one frame.

        features  (FEATURES,) float32, not normalised
        returns   Decision
        raises    ValueError if features has another shape
        """
        if features.shape != (FEATURES,):
            raise ValueError(f"features are {features.shape}, wanted {(FEATURES,)}")
        x = self._patch(normalise(features, self.offset, self.factor))
        x = x + self.tanh(self.layers["near"](_neighbours(x, NEAR_BANDS)))
        for block in range(self.shape.blocks):
            x = self._over_time(f"blocks.{block}", self._across(f"blocks.{block}", x))
            if self.shape.memory and block == 0:
                x = self._remember(x)
        return self._decide(x)

    def _squash(self, name: str, x: Float32) -> Float32:
        return self.tanh(x * self.weights[f"{name}.scale"] + self.weights[f"{name}.shift"])

    def _patch(self, f: Float32) -> Float32:
        """First layer over the last frames, (FEATURES,) -> (BANDS, channels)."""
        frame = np.empty((BANDS, BAND_FEATURES), np.float32)
        frame[:, 0], frame[:, 1] = f[:BANDS], f[BANDS : 2 * BANDS]
        frame[:, 2:] = f[2 * BANDS :]
        self.frames.append(_neighbours(frame, PATCH_BANDS))
        return self.tanh(self.layers["patch"](np.concatenate(list(self.frames), axis=1)) + self.weights["label"])

    def _across(self, block: str, x: Float32) -> Float32:
        """Add what the GRUs across the bands say."""
        seen, found = self._squash(f"{block}.band_squash", x), []
        for direction, order in (("up", range(BANDS)), ("down", reversed(range(BANDS)))):
            gru, h = self.grus[f"{block}.{direction}"], np.zeros(self.shape.across, np.float32)
            given, states = gru.from_input(seen), np.empty((BANDS, self.shape.across), np.float32)
            for band in order:
                h = states[band] = gru.step(given[band], h)
            found.append(states)
        return x + self.layers[f"{block}.from_bands"](np.concatenate(found, axis=1))

    def _over_time(self, block: str, x: Float32) -> Float32:
        """Add what each band's GRU over time says."""
        name = f"{block}.time"
        given = self.grus[name].from_input(self._squash(f"{block}.time_squash", x))
        self.states[name] = self.grus[name].step(given, self.states[name])
        return x + self.layers[f"{block}.from_time"](self.states[name])

    def _remember(self, x: Float32) -> Float32:
        """Add what the dense memory says."""
        squeezed = self.tanh(self.layers["memory.squeeze"](self._squash("memory.squash", x)))
        given = self.grus["memory.gru"].from_input(self.tanh(self.layers["memory.into"](squeezed.ravel())))
        self.states["memory.gru"] = self.grus["memory.gru"].step(given, self.states["memory.gru"])
        out = self.tanh(self.layers["memory.out"](self.states["memory.gru"]))
        return x + self.layers["memory.widen"](out.reshape(BANDS, WIDENED))

    def _decide(self, x: Float32) -> Decision:
        seen, w = self._squash("squash", x), self.weights
        gain, strength, voice = (self.layers[head](seen)[:, 0] for head in ("gain", "strength", "voice"))
        logit = np.add.accumulate(voice, dtype=np.float32)[-1:] * np.float32(1 / BANDS)
        return Decision(sigmoid(gain + w["gain_bias"]), sigmoid(strength + w["strength_bias"]), sigmoid(logit)[0])
