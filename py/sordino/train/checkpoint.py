"""Checkpoint: the state of a training run goes to disk and back; a finished one becomes plain NumPy arrays.

    python -m sordino.train.checkpoint CHECKPOINT OUT.npz
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

FORMAT = 1


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
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state.get("format") != FORMAT:
        raise ValueError(f"{path}: checkpoint format {state.get('format')}, wanted {FORMAT}")
    return state


def plain_arrays(state: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Turn a checkpoint into what a model file is made of.

    state    as from load_checkpoint; the averaged weights are taken
    returns  (float32 arrays by name, feature_mean and feature_std among them; metadata: name, shape,
             look_ahead and the record of the training), nothing in it depends on the date
    """
    arrays = {name: tensor.float().numpy() for name, tensor in state["ema"].items()}
    arrays["feature_mean"] = state["feature_mean"].numpy()
    arrays["feature_std"] = state["feature_std"].numpy()
    shape = dict(state["config"]["network"])
    look_ahead = shape.pop("look_ahead")
    record = {name: state[name] for name in ("config", "seed", "manifest_sha256", "steps", "hours", "fresh_hours")}
    return arrays, {"name": state["config"]["name"], "shape": shape, "look_ahead": look_ahead, "training": record}


def export_npz(checkpoint: Path, out: Path) -> None:
    """Write the arrays of a checkpoint to an npz file; its entry `metadata` is JSON text."""
    arrays, metadata = plain_arrays(load_checkpoint(checkpoint))
    np.savez(out, metadata=np.array(json.dumps(metadata, sort_keys=True)), **arrays)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m sordino.train.checkpoint CHECKPOINT OUT.npz")
    export_npz(Path(sys.argv[1]), Path(sys.argv[2]))
