"""Ours: the name of one of our models with its choices goes in, what it is and what runs it come out.

A name is MODEL[:WORD...]. MODEL is a short name or the path of an .onnx, .sordino or checkpoint (.pt) file. The words:

    int8, float         arithmetic; int8 (default) runs through the kernels, float through the reference
    wasm                int8 through the WebAssembly module in Node
    sharp, strong       post-filter once, or twice
    conservative        the preset of that name: an attenuation limit
    limit=DB            attenuation limit
    no-comb             the comb filter's strengths are 0
    no-lift             no voice is ever reported, so the beginnings of words are not lifted
    without=FEATURES    energies, coherences or pitch are held at their means
    look-ahead=N        frames, at most the model's own
    ideal=PART          see sordino.evaluation.oracle
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sordino.chain.model import BAND_FEATURES, Model, ModelError
from sordino.chain.numerics import Float32
from sordino.chain.params import CONSERVATIVE_LIMIT_DB, HOP
from sordino.chain.pipeline import Pipeline
from sordino.chain.records import Settings
from sordino.formats.onnx import read_onnx
from sordino.run.engines import NativeEngine, find_model, load_weights

FEATURE_GROUPS = {"energies": (0,), "coherences": (1,), "pitch": (2, 3)}
"""Of the BAND_FEATURES that the network sees of each band."""
ARITHMETIC = ("int8", "float", "wasm")
_PASSES = {"sharp": 1, "strong": 2}
_NEVER = -30.0  # a bias that makes the sigmoid 0
_WITHOUT_HEAD = {"no-comb": "strength", "no-lift": "voice"}
_CHECKPOINT = ".pt"


@dataclass(frozen=True)
class Variant:
    """One of our models with the choices that its name makes."""

    model: str
    arithmetic: str = "int8"
    settings: Settings = field(default_factory=Settings)
    changes: tuple[str, ...] = ()  # of the network, in order
    ideal: str = ""  # what the oracle decides

    @property
    def path(self) -> Path:
        """The file. Raises FileNotFoundError."""
        path = Path(self.model)
        return path if path.suffix == _CHECKPOINT and path.is_file() else find_model(self.model)

    def load(self) -> Model:
        """The model with the changes made. Raises ModelError for a .sordino file, which cannot be changed."""
        if self.path.suffix == ".sordino":
            raise ModelError(f"{self.path}: a weight file runs as it is; wanted an .onnx model or a checkpoint")
        model = _from_checkpoint(self.path) if self.path.suffix == _CHECKPOINT else read_onnx(self.path)
        for word in self.changes:
            model = change(model, word)
        return model


def _from_checkpoint(path: Path) -> Model:
    from sordino.train.checkpoint import load_checkpoint, to_model

    return to_model(load_checkpoint(path))


def parse(name: str) -> Variant:
    """Read a name.

    raises  ValueError for a word that is not known
    """
    model, *words = name.split(":")
    variant = Variant(model)
    for word in words:
        key, _, value = word.partition("=")
        if word in ARITHMETIC:
            variant = dataclasses.replace(variant, arithmetic=word)
        elif word in _PASSES:
            variant = _with_settings(variant, post_filter=_PASSES[word])
        elif word == "conservative":
            variant = _with_settings(variant, post_filter=0, floor_gain=10 ** (-CONSERVATIVE_LIMIT_DB / 20))
        elif key == "limit":
            variant = _with_settings(variant, floor_gain=10 ** (-float(value) / 20))
        elif key == "ideal":
            variant = dataclasses.replace(variant, ideal=value)
        elif word in _WITHOUT_HEAD or key == "look-ahead" or (key == "without" and value in FEATURE_GROUPS):
            variant = dataclasses.replace(variant, changes=(*variant.changes, word))
        else:
            raise ValueError(f"{name!r}: unknown word {word!r}; see `sordino evaluate --help`")
    return variant


def _with_settings(variant: Variant, **values: Any) -> Variant:
    return dataclasses.replace(variant, settings=dataclasses.replace(variant.settings, **values))


def change(model: Model, word: str) -> Model:
    """Make one change of the network: "no-comb", "no-lift", "without=FEATURES" or "look-ahead=N"."""
    key, _, value = word.partition("=")
    if key == "look-ahead":
        return model.with_look_ahead(int(value))
    weights = dict(model.weights)
    if head := _WITHOUT_HEAD.get(key):
        weights[f"{head}.weight"] = np.zeros_like(weights[f"{head}.weight"])
        weights[f"{head}.bias"] = np.full_like(weights[f"{head}.bias"], _NEVER)
    else:
        patch = weights["patch.weight"] = weights["patch.weight"].copy()
        for column in FEATURE_GROUPS[value]:
            patch[:, column::BAND_FEATURES] = 0
    return dataclasses.replace(model, weights=weights)


def open_variant(variant: Variant) -> Callable[[Float32], Float32]:
    """A function that runs a recording through a fresh stream; as late as the model is.

    The kernels compute int8; a network whose shape they were not built for runs through the reference, which gives
    the same samples.
    """
    if variant.arithmetic == "float":
        return _reference(variant, quantised=False)
    try:
        built = weights(variant)
        NativeEngine(built, variant.settings)
    except ModelError:
        return _reference(variant, quantised=True)
    return lambda noisy: NativeEngine(built, variant.settings).process(noisy[: len(noisy) // HOP * HOP])


def weights(variant: Variant) -> bytes:
    """The weight file of a variant."""
    if not variant.changes and variant.path.suffix != _CHECKPOINT:
        return load_weights(variant.path)
    from sordino.formats.weight_file import weight_bytes

    return weight_bytes(variant.load())


def _reference(variant: Variant, quantised: bool) -> Callable[[Float32], Float32]:
    model = variant.load()

    def denoise(noisy: Float32) -> Float32:
        pipeline = Pipeline(model, variant.settings, quantised)
        return np.concatenate([pipeline.process(hop) for hop in noisy[: len(noisy) // HOP * HOP].reshape(-1, HOP)])

    return denoise
