"""Grow: a trained network and larger sizes go in, a network of these sizes that computes the same comes out.

New units listen to all that is before them, with the weights of a fresh network; what was there before does not listen
to them yet, so nothing changes until training lets it.
source: Chen et al. 2016, Net2Net, arXiv:1511.05641, with zeros for their copies
"""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import torch
from numpy.typing import NDArray

from sordino.model import HEADS, Model, ModelError, NetworkShape
from sordino.params import FEATURES
from sordino.train.network import Network

_FIXED = ("gru_layers", "conv1_taps", "conv2_taps")
Places = NDArray[np.int64]


def _joined(parts: list[tuple[int, int]]) -> Places:
    """Where the old values of a concatenation of (old size, new size) lie in the new one."""
    ends = np.cumsum([0] + [new for _, new in parts])
    return np.concatenate([np.arange(old) + first for (old, _), first in zip(parts, ends, strict=False)])


def _places(old: NetworkShape, new: NetworkShape) -> dict[str, tuple[Places, Places]]:
    """Of every matrix of the old network: the rows and the columns of the new one where its weights lie."""

    def pair(name: str) -> tuple[int, int]:
        return getattr(old, name), getattr(new, name)

    def one(name: str) -> Places:
        return np.arange(getattr(old, name))

    trunk = [pair("conv2")] + [pair("gru")] * old.gru_layers
    inputs = {f"gru{i + 1}": _joined([trunk[i]]) for i in range(old.gru_layers)}
    inputs |= {"gain_gru": one("gru"), "strength_gru": _joined([pair("gru"), pair("conv2")])}
    places = {"fc": (one("fc"), np.arange(FEATURES)), "conv1": (one("conv1"), one("fc"))}
    places["conv2"] = one("conv2"), one("conv1")
    for name, _, hidden in old.grus():
        size = getattr(new, name if name in ("gain_gru", "strength_gru") else "gru")
        gates = _joined([(hidden, size)] * 3)
        places[f"{name}.ih"], places[f"{name}.hh"] = (gates, inputs[name]), (gates, np.arange(hidden))
    summary = _joined([*trunk, pair("gain_gru")])
    for head, outputs in HEADS.items():
        places[head] = np.arange(outputs), one("strength_gru") if head == "strength" else summary
    return places


def grow(model: Model, shape: NetworkShape, seed: int = 1) -> Model:
    """Return a network of larger layers that gives the same outputs.

    model    trained
    shape    as many layers, none of them smaller
    seed     of the weights of the new units
    returns  Model with the record of the old one
    raises   ModelError where a layer would shrink or the number of layers change
    """
    old, new = asdict(model.shape), asdict(shape)
    wrong = [name for name in old if new[name] < old[name] or (name in _FIXED and new[name] != old[name])]
    if wrong:
        got, wanted = {name: new[name] for name in wrong}, {name: old[name] for name in wrong}
        raise ModelError(f"cannot grow to {got}, wanted at least {wanted}, and as many layers and taps")
    torch.manual_seed(seed)
    fresh = {name: value.numpy().copy() for name, value in Network(shape).state_dict().items()}
    for name, (rows, columns) in _places(model.shape, shape).items():
        layer, _, part = name.partition(".")
        matrix, bias = (f"{layer}.{kind}{'_' * bool(part)}{part}" for kind in ("weight", "bias"))
        fresh[matrix][rows] = 0
        fresh[matrix][np.ix_(rows, columns)] = model.weights[matrix]
        fresh[bias][rows] = model.weights[bias]
    return replace(model, shape=shape, weights=fresh)
