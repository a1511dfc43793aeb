"""Model <-> ONNX: the network on a sequence of normalised features, with every state as an input and an output.

in   features (frames, FEATURES), <state>_past of the features (taps - 1 frames), of each block's GRU over time and of
     the memory
out  gain, strength (frames, BANDS), voice (frames, 1), <state>_next
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from sordino.chain.model import Model, ModelError, NetworkShape
from sordino.chain.params import BANDS, FEATURES

from .onnx_graph import build, collect

OPSET = 17
IR_VERSION = 8


def write_onnx(model: Model, path: Path) -> None:
    """Write a model, checked by onnx.checker; the same bytes for the same model."""
    parts = build(model)
    graph = helper.make_graph(parts.nodes, "sordino", parts.inputs, parts.outputs, parts.initializers)
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    proto.producer_name = "sordino"
    helper.set_model_props(proto, model.metadata())
    onnx.checker.check_model(proto, full_check=True)
    path.write_bytes(proto.SerializeToString(deterministic=True))


def read_onnx(path: str | Path) -> Model:
    """Read a model that write_onnx wrote.

    raises  FileNotFoundError; ModelError when the file is no Sordino model
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"no model file at {path}")
    try:
        proto = onnx.load_model_from_string(path.read_bytes())
    except Exception as error:
        raise ModelError(f"{path} is not an ONNX file: {error}") from error
    meta = {p.key: p.value for p in proto.metadata_props}
    if "sordino.shape" not in meta:
        raise ModelError(f"{path} is an ONNX file without Sordino's metadata, wanted one written by Sordino's training")
    for key, wanted in (("sordino.bands", BANDS), ("sordino.features", FEATURES)):
        if meta.get(key) != str(wanted):
            raise ModelError(f"{path}: {key} is {meta.get(key)}, this version wants {wanted}")
    shape = _shape(path, json.loads(meta["sordino.shape"]))
    stored = {t.name: numpy_helper.to_array(t).astype(np.float32) for t in proto.graph.initializer}
    mean, std = (np.array(json.loads(meta[f"sordino.feature_{k}"]), np.float32) for k in ("mean", "std"))
    record = json.loads(meta.get("sordino.record", "{}"))
    look_ahead = int(meta["sordino.look_ahead"])
    return Model(meta["sordino.name"], shape, look_ahead, collect(shape, stored), mean, std, record)


def _shape(path: Path, sizes: dict[str, int]) -> NetworkShape:
    try:
        return NetworkShape(**sizes)
    except TypeError as error:
        wanted = ", ".join(part.name for part in fields(NetworkShape))
        raise ModelError(f"{path}: the sizes of its network are {sizes}, this version wants {wanted}") from error
