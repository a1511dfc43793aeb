"""Stage network: dense, two convolutions over time, GRUs and three heads; in float and in the kernels' integers.

In integers every layer input is 7 bits (1..127 around 64), every weight 8 bits with one scale per output row, every
sum 32 bits and exact; only scales, biases and gates are float32.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .features import normalise, normaliser
from .model import HEADS, Model, ModelError, NetworkShape
from .numerics import Float32, sigmoid, tanh
from .params import ACTIVATION_OFFSET, ACTIVATION_SCALE, FEATURES, WEIGHT_MAX
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


def dense_shape(model: Model) -> NetworkShape:
    """The shape of a model whose layers are dense. Raises ModelError for the family with weights shared by bands."""
    if not isinstance(model.shape, NetworkShape):
        raise ModelError(f"{model.name} has weights shared by bands ({model.shape}), wanted dense layers")
    return model.shape


def matrices(model: Model) -> dict[str, tuple[Float32, Float32]]:
    """Every (weight, bias) of a model as a matrix, in the order of the weight file.

    Convolutions are flattened to (rows, taps x channels), oldest frame first.
    """
    shape, w, out = dense_shape(model), model.weights, {}
    out["fc"] = (w["fc.weight"], w["fc.bias"])
    for conv in ("conv1", "conv2"):
        kernel = w[f"{conv}.weight"]
        out[conv] = (kernel.transpose(0, 2, 1).reshape(kernel.shape[0], -1), w[f"{conv}.bias"])
    for name, _, _ in shape.grus():
        out[f"{name}_input"] = (w[f"{name}.weight_ih"], w[f"{name}.bias_ih"])
        out[f"{name}_state"] = (w[f"{name}.weight_hh"], w[f"{name}.bias_hh"])
    for head in HEADS:
        out[head] = (w[f"{head}.weight"], w[f"{head}.bias"])
    return out


class _FloatLayer:
    def __init__(self, weight: Float32, bias: Float32) -> None:
        self.weight, self.bias = weight, bias

    def __call__(self, x: Float32) -> Float32:
        return self.weight @ x + self.bias


class _IntegerLayer:
    def __init__(self, matrix: QuantisedMatrix) -> None:
        exact = np.float32 if matrix.weight.shape[1] <= EXACT_FLOAT32_COLUMNS else np.float64
        self.weight, self.scale, self.bias = matrix.weight.astype(exact), matrix.scale, matrix.bias

    def __call__(self, x: Float32) -> Float32:
        q = quantise_activation(x).astype(self.weight.dtype) - ACTIVATION_OFFSET
        total = (self.weight @ q).astype(np.int32)
        return total.astype(np.float32) * self.scale + self.bias


class Network:
    """The network of one stream; keeps its state.

    model      what to run
    quantised  True: the kernels' integer arithmetic; False: float32 weights and activations
    raises     ModelError for a model of the other family
    source     Valin et al. 2020, arXiv:2008.04259; C twin: generated from wasm/nn/kernels/network.c.in
    """

    def __init__(self, model: Model, quantised: bool = True) -> None:
        self.shape = dense_shape(model)
        self.offset, self.factor = normaliser(model.feature_mean, model.feature_std)
        self.layers: dict[str, _IntegerLayer | _FloatLayer]
        if quantised:
            self.layers = {name: _IntegerLayer(quantise_matrix(*pair)) for name, pair in matrices(model).items()}
        else:
            self.layers = {name: _FloatLayer(*pair) for name, pair in matrices(model).items()}
        self.reset()

    def reset(self) -> None:
        """Forget everything heard."""
        s = self.shape
        self.conv_input = {
            "conv1": deque([np.zeros(s.fc, np.float32)] * s.conv1_taps, s.conv1_taps),
            "conv2": deque([np.zeros(s.conv1, np.float32)] * s.conv2_taps, s.conv2_taps),
        }
        self.hidden = {name: np.zeros(size, np.float32) for name, _, size in s.grus()}

    def step(self, features: Float32) -> Decision:
        """Decide on one frame.

        features  (FEATURES,) float32, not normalised
        returns   Decision
        raises    ValueError if features has another shape
        """
        if features.shape != (FEATURES,):
            raise ValueError(f"features are {features.shape}, wanted {(FEATURES,)}")
        x = tanh(self.layers["fc"](normalise(features, self.offset, self.factor)))
        x = self._convolve("conv1", x)
        x = conv2 = self._convolve("conv2", x)
        summary = [conv2]
        for i in range(self.shape.gru_layers):
            x = self._recur(f"gru{i + 1}", x)
            summary.append(x)
        summary.append(self._recur("gain_gru", x))
        strength = self._recur("strength_gru", np.concatenate([x, conv2]))
        heads = np.concatenate(summary)
        return Decision(
            sigmoid(self.layers["gain"](heads)),
            sigmoid(self.layers["strength"](strength)),
            sigmoid(self.layers["voice"](heads))[0],
        )

    def _convolve(self, name: str, x: Float32) -> Float32:
        self.conv_input[name].append(x)
        return tanh(self.layers[name](np.concatenate(self.conv_input[name])))

    def _recur(self, name: str, x: Float32) -> Float32:
        h = self.hidden[name]
        from_input, from_state = self.layers[f"{name}_input"](x), self.layers[f"{name}_state"](h)
        n = h.shape[0]
        reset = sigmoid(from_input[:n] + from_state[:n])
        keep = sigmoid(from_input[n : 2 * n] + from_state[n : 2 * n])
        new = tanh(from_input[2 * n :] + reset * from_state[2 * n :])
        self.hidden[name] = new + keep * (h - new)
        return self.hidden[name]
