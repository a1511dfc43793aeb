"""A trained model: its shape, its float weights, the statistics of its features, its record; to and from ONNX.

The ONNX graph is the network as it runs on a sequence of normalised features; the states of convolutions and GRUs are
inputs and outputs, so that the same file serves whole recordings and single frames.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .numerics import Float32
from .params import BANDS, FEATURES, MAX_LOOK_AHEAD

HEADS = {"gain": BANDS, "strength": BANDS, "voice": 1}


class ModelError(ValueError):
    """A model file or its contents are not what is wanted; the message says what was got and what was wanted."""


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of the layers; conv*_taps count frames, gru_layers counts the trunk's GRUs of size gru."""

    fc: int
    conv1: int
    conv2: int
    gru: int
    gru_layers: int
    gain_gru: int
    strength_gru: int
    conv1_taps: int = 5
    conv2_taps: int = 3

    def grus(self) -> list[tuple[str, int, int]]:
        """(name, input size, hidden size) of every GRU in the order in which they run."""
        sizes = [self.conv2] + [self.gru] * self.gru_layers
        trunk = [(f"gru{i + 1}", sizes[i], self.gru) for i in range(self.gru_layers)]
        strength = ("strength_gru", self.gru + self.conv2, self.strength_gru)
        return [*trunk, ("gain_gru", self.gru, self.gain_gru), strength]

    def summary_size(self) -> int:
        """Size of [conv2, gru1.., gain_gru], which the heads `gain` and `voice` read."""
        return self.conv2 + self.gru * self.gru_layers + self.gain_gru

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Every weight's name and shape, in torch's layout."""
        shapes: dict[str, tuple[int, ...]] = {
            "fc.weight": (self.fc, FEATURES),
            "fc.bias": (self.fc,),
            "conv1.weight": (self.conv1, self.fc, self.conv1_taps),
            "conv1.bias": (self.conv1,),
            "conv2.weight": (self.conv2, self.conv1, self.conv2_taps),
            "conv2.bias": (self.conv2,),
        }
        for name, inputs, hidden in self.grus():
            shapes[f"{name}.weight_ih"] = (3 * hidden, inputs)
            shapes[f"{name}.weight_hh"] = (3 * hidden, hidden)
            shapes[f"{name}.bias_ih"] = shapes[f"{name}.bias_hh"] = (3 * hidden,)
        for head, outputs in HEADS.items():
            inputs = self.strength_gru if head == "strength" else self.summary_size()
            shapes[f"{head}.weight"] = (outputs, inputs)
            shapes[f"{head}.bias"] = (outputs,)
        return shapes

    def weight_count(self) -> int:
        """Number of multiplicative weights, each used once per frame."""
        return sum(int(np.prod(s)) for name, s in self.weight_shapes().items() if ".weight" in name)


@dataclass(frozen=True)
class Model:
    """A network with everything that is needed to run it.

    name          short name, such as "standard"
    shape         layer sizes
    look_ahead    frames between the newest frame and the frame that is decided on, 0..2
    weights       float32 arrays by name, see NetworkShape.weight_shapes
    feature_mean  (FEATURES,) float32
    feature_std   (FEATURES,) float32, > 0
    record        how it was trained: anything JSON can hold
    """

    name: str
    shape: NetworkShape
    look_ahead: int
    weights: dict[str, Float32]
    feature_mean: Float32
    feature_std: Float32
    record: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if min(self.shape.conv1_taps, self.shape.conv2_taps) < 2:
            raise ModelError(f"a convolution takes 1 frame, wanted 2 or more: {self.shape}")
        if not 0 <= self.look_ahead <= MAX_LOOK_AHEAD:
            raise ModelError(f"look-ahead is {self.look_ahead} frames, wanted 0..{MAX_LOOK_AHEAD}")
        for name, shape in self.shape.weight_shapes().items():
            got = self.weights[name].shape if name in self.weights else "missing"
            if got != shape:
                raise ModelError(f"weight {name} is {got}, wanted {shape}")
            if not np.isfinite(self.weights[name]).all():
                raise ModelError(f"weight {name} holds values that are not finite")
        for name in ("feature_mean", "feature_std"):
            if getattr(self, name).shape != (FEATURES,):
                raise ModelError(f"{name} is {getattr(self, name).shape}, wanted {(FEATURES,)}")
        if not (self.feature_std > 0).all():
            raise ModelError("feature_std holds values that are not positive")

    def with_look_ahead(self, look_ahead: int) -> Model:
        """The same weights declared for another look-ahead (for tests; the sound suffers)."""
        return dataclasses.replace(self, look_ahead=look_ahead)

    def metadata(self) -> dict[str, str]:
        """What the ONNX file carries beside the graph, as strings."""
        return {
            "sordino.name": self.name,
            "sordino.shape": json.dumps(dataclasses.asdict(self.shape), sort_keys=True),
            "sordino.look_ahead": str(self.look_ahead),
            "sordino.bands": str(BANDS),
            "sordino.features": str(FEATURES),
            "sordino.feature_mean": json.dumps([float(x) for x in self.feature_mean]),
            "sordino.feature_std": json.dumps([float(x) for x in self.feature_std]),
            "sordino.record": json.dumps(self.record, sort_keys=True),
        }


def random_model(shape: NetworkShape, look_ahead: int = 2, seed: int = 1, name: str = "random") -> Model:
    """An untrained model with plausible weights, for tests and speed measurements."""
    rng = np.random.default_rng(seed)
    weights = {}
    for key, size in shape.weight_shapes().items():
        spread = 1.5 / np.sqrt(np.prod(size[1:])) if ".weight" in key else 0.2
        weights[key] = (rng.standard_normal(size) * spread).astype(np.float32)
    mean = np.zeros(FEATURES, np.float32)
    mean[:BANDS] = -15
    std = np.ones(FEATURES, np.float32)
    std[:BANDS] = 5
    return Model(name, shape, look_ahead, weights, mean, std)
