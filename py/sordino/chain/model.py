"""A trained model: its shape, its float weights, the statistics of its features, its record; to and from ONNX.

The ONNX graph is the network as it runs on a sequence of normalised features; the past frames and the states of GRUs
are inputs and outputs, so that the same file serves whole recordings and single frames.
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
BAND_FEATURES = 4
"""What the network sees of a band: energy, coherence, and period and correlation of the frame."""
PATCH_BANDS, NEAR_BANDS = 5, 3
"""Neighbouring bands, the band itself in the middle, that its first and its second layer see."""
SQUEEZED, WIDENED = 4, 8
"""Values per band that go into the dense memory and come out of it."""


class ModelError(ValueError):
    """A model file or its contents are not what is wanted; the message says what was got and what was wanted."""


@dataclass(frozen=True)
class NetworkShape:
    """Sizes of the network, whose weights are shared by all bands.

    channels   of each band
    across     state of the GRUs across the bands, one upwards and one downwards, in each block
    over_time  state of the GRU over time that each band has, in each block
    blocks     of the two
    memory     state of a dense GRU over time after the first block, 0: none
    taps       frames that the first layer sees
    """

    channels: int
    across: int
    over_time: int
    blocks: int = 2
    memory: int = 0
    taps: int = 3

    def grus(self) -> dict[str, tuple[int, int]]:
        """(input size, hidden size) of every GRU by name."""
        found = {}
        for block in range(self.blocks):
            for direction in ("up", "down"):
                found[f"blocks.{block}.{direction}"] = (self.channels, self.across)
            found[f"blocks.{block}.time"] = (self.channels, self.over_time)
        return found | ({"memory.gru": (self.memory, self.memory)} if self.memory else {})

    def linears(self) -> dict[str, tuple[int, int]]:
        """(outputs, inputs) of every dense layer by name."""
        wide, found = self.channels, {"patch": (self.channels, self.taps * PATCH_BANDS * BAND_FEATURES)}
        found["near"] = (wide, NEAR_BANDS * wide)
        for block in range(self.blocks):
            found[f"blocks.{block}.from_bands"] = (wide, 2 * self.across)
            found[f"blocks.{block}.from_time"] = (wide, self.over_time)
        if self.memory:
            found["memory.squeeze"] = (SQUEEZED, wide)
            found["memory.into"] = (self.memory, SQUEEZED * BANDS)
            found["memory.out"] = (WIDENED * BANDS, self.memory)
            found["memory.widen"] = (wide, WIDENED)
        return found | {head: (1, wide) for head in HEADS}

    def squashes(self) -> list[str]:
        """Names of the layers that bring the channels to -1..1."""
        inner = [f"blocks.{block}.{name}_squash" for block in range(self.blocks) for name in ("band", "time")]
        return [*inner, *(["memory.squash"] if self.memory else []), "squash"]

    def weight_shapes(self) -> dict[str, tuple[int, ...]]:
        """Every weight's name and shape, in torch's layout."""
        shapes: dict[str, tuple[int, ...]] = {"label": (BANDS, self.channels)}
        for name, size in self.linears().items():
            shapes |= {f"{name}.weight": size, f"{name}.bias": size[:1]}
        for name, (inputs, hidden) in self.grus().items():
            shapes |= {f"{name}.weight_ih": (3 * hidden, inputs), f"{name}.weight_hh": (3 * hidden, hidden)}
            shapes |= {f"{name}.bias_ih": (3 * hidden,), f"{name}.bias_hh": (3 * hidden,)}
        for name in self.squashes():
            shapes |= {f"{name}.scale": (self.channels,), f"{name}.shift": (self.channels,)}
        return shapes | {"gain_bias": (BANDS,), "strength_bias": (BANDS,)}

    def matrices(self) -> dict[str, list[str]]:
        """Matrices as the kernels take them, each with the weights that are stacked in it because they see the same."""
        found = {"patch": ["patch.weight"], "near": ["near.weight"]}
        for block in range(self.blocks):
            at, name = f"blocks.{block}", f"block{block}"
            found[f"{name}_across_input"] = [f"{at}.up.weight_ih", f"{at}.down.weight_ih"]
            found |= {f"{name}_{way}_state": [f"{at}.{way}.weight_hh"] for way in ("up", "down")}
            found[f"{name}_from_bands"] = [f"{at}.from_bands.weight"]
            found[f"{name}_time_input"] = [f"{at}.time.weight_ih"]
            found[f"{name}_time_state"] = [f"{at}.time.weight_hh"]
            found[f"{name}_from_time"] = [f"{at}.from_time.weight"]
        if self.memory:
            found |= {f"memory_{name}": [f"memory.{name}.weight"] for name in ("squeeze", "into", "out", "widen")}
            found |= {"memory_input": ["memory.gru.weight_ih"], "memory_state": ["memory.gru.weight_hh"]}
        return found | {"heads": [f"{head}.weight" for head in HEADS]}

    def vectors(self) -> dict[str, str]:
        """What no product uses, as the kernels name it, and its weight."""
        found = {"label": "label"}
        for squash in self.squashes():
            name = squash.replace("blocks.", "block").replace(".", "_")
            found |= {f"{name}_{kind}": f"{squash}.{kind}" for kind in ("scale", "shift")}
        return found | {name: name for name in ("gain_bias", "strength_bias")}

    def weight_count(self) -> int:
        """Number of multiplicative weights; most are used for every band of a frame."""
        return sum(int(np.prod(s)) for name, s in self.weight_shapes().items() if ".weight" in name)


@dataclass(frozen=True)
class Model:
    """A network with everything that is needed to run it.

    name          short name, such as "standard"
    shape         layer sizes
    look_ahead    frames between the newest frame and the frame that is decided on, 0..2
    weights       float32 arrays by name, see weight_shapes of the shape
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
