"""Model <-> ONNX: the network on a sequence of normalised features, with every state as an input and an output.

in   features (frames, FEATURES), <state>_past of conv1, conv2 and each GRU; where bands share weights of the features
     (taps - 1 frames), of each block's GRU over time and of the memory
out  gain, strength (frames, BANDS), voice (frames, 1), <state>_next
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from sordino.chain.model import HEADS, BandShape, Model, ModelError, NetworkShape, Shape
from sordino.chain.network import dense_shape
from sordino.chain.numerics import Float32
from sordino.chain.params import BANDS, FEATURES

from . import onnx_bands
from .onnx_graph import Graph, gate_order, tensor

OPSET = 17
IR_VERSION = 8


def _dense(graph: Graph, name: str, x: str, activation: str) -> str:
    y = graph.node("Gemm", [x, f"{name}.weight", f"{name}.bias"], f"{name}_sum", transB=1)
    return graph.node(activation, [y], name if name in HEADS else f"{name}_out")


def _convolve(graph: Graph, name: str, x: str, channels: int, taps: int) -> str:
    past, following = graph.state(name, [taps - 1, channels])
    joined = graph.node("Concat", [past, x], f"{name}_joined", axis=0)
    limits = {"from": 1 - taps, "to": 2**31, "axis": 0}
    tail = [graph.constant(f"{name}_tail_{k}", np.array([v])) for k, v in limits.items()]
    graph.node("Slice", [joined, *tail], following)
    turned = graph.node("Transpose", [joined], f"{name}_turned", perm=[1, 0])
    batch = graph.node("Unsqueeze", [turned, "axis_0"], f"{name}_batch")
    y = graph.node("Conv", [batch, f"{name}.weight", f"{name}.bias"], f"{name}_sum", kernel_shape=[taps])
    y = graph.node("Tanh", [y], f"{name}_tanh")
    return graph.node("Transpose", [graph.node("Squeeze", [y, "axis_0"], f"{name}_flat")], f"{name}_out", perm=[1, 0])


def _recur(graph: Graph, name: str, x: str, weights: dict[str, Float32], hidden: int) -> str:
    past, following = graph.state(name, [1, 1, hidden])
    w = graph.constant(f"{name}.weight_ih", gate_order(weights[f"{name}.weight_ih"])[None])
    r = graph.constant(f"{name}.weight_hh", gate_order(weights[f"{name}.weight_hh"])[None])
    both = [gate_order(weights[f"{name}.bias_{k}"]) for k in ("ih", "hh")]
    b = graph.constant(f"{name}.bias", np.concatenate(both)[None])
    batch = graph.node("Unsqueeze", [x, "axis_1"], f"{name}_batch")
    outputs = [f"{name}_sequence", following]
    inputs = [batch, w, r, b, "", past]
    graph.nodes.append(helper.make_node("GRU", inputs, outputs, name=name, hidden_size=hidden, linear_before_reset=1))
    return graph.node("Squeeze", [f"{name}_sequence", "axes_12"], f"{name}_out")


def _build(model: Model) -> Graph:
    return onnx_bands.build(model) if isinstance(model.shape, BandShape) else _build_dense(model)


def _build_dense(model: Model) -> Graph:
    graph, shape = Graph(), dense_shape(model)
    for name, axes in (("axis_0", [0]), ("axis_1", [1]), ("axes_12", [1, 2])):
        graph.constant(name, np.array(axes))
    for name, value in model.weights.items():
        if "gru" not in name:
            graph.constant(name, value)
    x = _dense(graph, "fc", "features", "Tanh")
    x = _convolve(graph, "conv1", x, shape.fc, shape.conv1_taps)
    x = conv2 = _convolve(graph, "conv2", x, shape.conv1, shape.conv2_taps)
    summary = [conv2]
    for name, _, hidden in shape.grus():
        if name == "strength_gru":
            x = graph.node("Concat", [summary[-2], conv2], "strength_input", axis=1)
        x = _recur(graph, name, x, model.weights, hidden)
        if name != "strength_gru":
            summary.append(x)
    heads = graph.node("Concat", summary, "summary", axis=1)
    for head, size in HEADS.items():
        _dense(graph, head, x if head == "strength" else heads, "Sigmoid")
        graph.outputs.append(tensor(head, ["frames", size]))
    return graph


def write_onnx(model: Model, path: Path) -> None:
    """Write a model, checked by onnx.checker; the same bytes for the same model."""
    parts = _build(model)
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
    sizes = json.loads(meta["sordino.shape"])
    shape: Shape = BandShape(**sizes) if "channels" in sizes else NetworkShape(**sizes)
    stored = {t.name: numpy_helper.to_array(t).astype(np.float32) for t in proto.graph.initializer}
    mean, std = (np.array(json.loads(meta[f"sordino.feature_{k}"]), np.float32) for k in ("mean", "std"))
    record = json.loads(meta.get("sordino.record", "{}"))
    look_ahead = int(meta["sordino.look_ahead"])
    return Model(meta["sordino.name"], shape, look_ahead, _collect(shape, stored), mean, std, record)


def _collect(shape: Shape, stored: dict[str, Float32]) -> dict[str, Float32]:
    if isinstance(shape, BandShape):
        return onnx_bands.collect(shape, stored)
    weights = {name: stored[name] for name in shape.weight_shapes() if name in stored and "gru" not in name}
    for name, _, _ in shape.grus():
        weights[f"{name}.weight_ih"] = gate_order(stored[f"{name}.weight_ih"][0])
        weights[f"{name}.weight_hh"] = gate_order(stored[f"{name}.weight_hh"][0])
        both = np.split(stored[f"{name}.bias"][0], 2)
        weights[f"{name}.bias_ih"], weights[f"{name}.bias_hh"] = (gate_order(b) for b in both)
    return weights
