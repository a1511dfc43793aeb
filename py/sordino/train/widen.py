"""Widen: a trained model goes in, one with more units that computes the same comes out, to be trained further.

The units that are there keep their weights and hear nothing of the new ones; the new ones hear everything, with
random weights, and training decides what becomes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from sordino.model import Model, NetworkShape
from sordino.numerics import Float32
from sordino.params import FEATURES
from sordino.train.network import Network

Sizes = Sequence[tuple[int, int]]
"""Of each part that is joined along an axis: units before, units after."""


def _places(parts: Sizes) -> np.ndarray:
    """Where the units that are there lie among those of the wider layer."""
    begins = np.cumsum([0, *[after for _, after in parts]])
    return np.concatenate([begin + np.arange(before) for begin, (before, _) in zip(begins, parts, strict=False)])


def _wider(old: Float32, new: Float32, outputs: Sizes, inputs: Sizes | None) -> Float32:
    """Put old weights into new ones: what is old hears what is new with weight 0."""
    rows = _places(outputs)
    wide = new.copy()
    if inputs is None:
        wide[rows] = old
        return wide
    columns = _places(inputs)
    wide[rows] = 0
    wide[np.ix_(rows, columns)] = old
    return wide


def _inputs_of(before: NetworkShape, after: NetworkShape) -> dict[str, Sizes]:
    """What each matrix reads, by its layer's name; a GRU's own states under its name and `_hh`."""
    conv = (before.conv2, after.conv2)
    trunk = [(before.gru, after.gru)] * before.gru_layers
    gain, strength = (before.gain_gru, after.gain_gru), (before.strength_gru, after.strength_gru)
    found: dict[str, Sizes] = {
        "fc": [(FEATURES, FEATURES)],
        "conv1": [(before.fc, after.fc)],
        "conv2": [(before.conv1, after.conv1)],
        "gain_gru": trunk[-1:],
        "gain_gru_hh": [gain],
        "strength_gru": [trunk[-1], conv],
        "strength_gru_hh": [strength],
        "gain": [conv, *trunk, gain],
        "voice": [conv, *trunk, gain],
        "strength": [strength],
    }
    for layer, reads in enumerate([conv, *trunk[:-1]], 1):
        found |= {f"gru{layer}": [reads], f"gru{layer}_hh": trunk[:1]}
    return found


def widen(model: Model, shape: NetworkShape, seed: int) -> Model:
    """Give a model more units per layer; its outputs stay what they are.

    model    trained
    shape    at least as wide in every layer, with as many layers and taps
    seed     of the new units' weights
    returns  Model of that shape, with the record of the narrower one
    raises   ValueError for a shape that is narrower somewhere or built otherwise
    source   after Chen et al. 2016, "Net2Net", arXiv:1511.05641, with new units for copied ones
    """
    before, sizes = model.shape, ("fc", "conv1", "conv2", "gru", "gain_gru", "strength_gru")
    built = ("gru_layers", "conv1_taps", "conv2_taps")
    narrower = [name for name in sizes if getattr(shape, name) < getattr(before, name)]
    otherwise = [name for name in built if getattr(shape, name) != getattr(before, name)]
    if narrower or otherwise:
        wanted = "as many layers and taps and no narrower layer"
        raise ValueError(f"cannot widen {before} to {shape}: {', '.join(narrower + otherwise)}; wanted {wanted}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        fresh = {name: value.numpy().copy() for name, value in Network(shape).state_dict().items()}
    inputs, wide = _inputs_of(before, shape), {}
    for name, old in model.weights.items():
        layer, kind = name.split(".")
        gates = 3 if "gru" in layer else 1
        outputs = [(len(old) // gates, len(fresh[name]) // gates)] * gates
        reads = None if old.ndim == 1 else inputs[layer + "_hh" * (kind == "weight_hh")]
        wide[name] = _wider(old, fresh[name], outputs, reads)
    return replace(model, shape=shape, weights=wide)
