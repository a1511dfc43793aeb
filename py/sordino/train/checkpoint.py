"""Checkpoint: the state of a training run goes to disk and back; a finished one becomes a model file.

`sordino develop finish RUN/last.pt OUT.onnx --blend EARLIER=0.5`

The mean of several runs of one lineage is `C.pt OUT.onnx --blend B.pt=0.5 --blend A.pt=0.333`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sordino.chain.model import Model
from sordino.formats.onnx import read_onnx, write_onnx
from sordino.train.config import from_record

FORMAT = 2
_RECORD = ("config", "seed", "manifest_sha256", "steps", "hours", "fresh_hours", "started_from")
"""What a model remembers of its training; `started_from` is the record of the model that the run began with."""


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write a checkpoint so that a kill at any time leaves the old one or the new one, never a torn file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save(state | {"format": FORMAT}, part)
    os.replace(part, path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU.

    raises  ValueError if the file is of another format, FileNotFoundError if there is none
    """
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if state.get("format") != FORMAT:
        raise ValueError(f"{path}: checkpoint format {state.get('format')}, wanted {FORMAT}")
    return state


def to_model(state: dict[str, Any]) -> Model:
    """Turn a checkpoint into a model: the averaged weights, the feature statistics and the record of the training.

    state    as from load_checkpoint
    returns  Model; nothing in it depends on the date
    """
    config = from_record(state["config"])
    weights = {name: tensor.float().numpy() for name, tensor in state["ema"].items()}
    mean, std = state["feature_mean"].numpy(), state["feature_std"].numpy()
    record = {name: state[name] for name in _RECORD}
    return Model(config.name, config.network, config.look_ahead, weights, mean, std, record)


def read_model(path: Path) -> Model:
    """Read what a run left (.pt) or a finished model (.onnx).

    raises  ValueError for another suffix or format, ModelError for a broken model, FileNotFoundError
    """
    if path.suffix == ".pt":
        return to_model(load_checkpoint(path))
    if path.suffix == ".onnx":
        return read_onnx(path)
    raise ValueError(f"{path}: suffix {path.suffix!r}, wanted .pt or .onnx")


def blend(model: Model, earlier: Model, share: float) -> Model:
    """Mix the weights of two runs, the second of which started from the first: often better than either.

    model    of the second run
    earlier  of the first run
    share    of the earlier weights, 0..1
    returns  Model with the record of the second run, and the mix in it, beside the mixes made before
    raises   ValueError unless shapes, look-ahead and feature statistics agree
    source   Wortsman et al. 2022, arXiv:2203.05482
    """
    pairs = ((model.feature_mean, earlier.feature_mean), (model.feature_std, earlier.feature_std))
    alike = all(np.array_equal(*pair) for pair in pairs)
    if not alike or (model.shape, model.look_ahead) != (earlier.shape, earlier.look_ahead):
        raise ValueError("wanted two runs of one network, the second started from the first")
    mixed = {
        name: weight + np.float32(share) * (earlier.weights[name] - weight) for name, weight in model.weights.items()
    }
    run = {name: earlier.record[name] for name in ("seed", "steps", "hours", "blended_with") if name in earlier.record}
    before = {"after": model.record["blended_with"]} if "blended_with" in model.record else {}
    return replace(model, weights=mixed, record=model.record | {"blended_with": run | {"share": share} | before})


def export(source: Path, out: Path, blends: Sequence[tuple[Path, float]] = ()) -> None:
    """Write a checkpoint as a model file (.onnx) or as plain arrays (.npz, entry `metadata` is JSON text).

    source  checkpoint (.pt), or a finished model (.onnx)
    blends  other checkpoints or models and their shares, mixed in one after the other, see blend
    raises  ValueError, ModelError, OSError
    """
    model = read_model(source)
    for earlier, share in blends:
        model = blend(model, read_model(earlier), share)
    if out.suffix == ".onnx":
        write_onnx(model, out)
    elif out.suffix == ".npz":
        metadata = json.dumps(model.metadata(), sort_keys=True)
        arrays: dict[str, Any] = {"metadata": np.array(metadata), **model.weights}
        np.savez(out, feature_mean=model.feature_mean, feature_std=model.feature_std, **arrays)
    else:
        raise ValueError(f"{out}: suffix {out.suffix!r}, wanted .onnx or .npz")
