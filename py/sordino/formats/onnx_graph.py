"""What the ONNX graphs of both families of networks are built with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sordino.chain.numerics import Float32
from sordino.chain.params import FEATURES


class Graph:
    """Collects nodes, weights, inputs and outputs under their names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.inputs = [tensor("features", ["frames", FEATURES])]
        self.outputs: list[onnx.ValueInfoProto] = []

    def node(self, op: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, value: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def state(self, name: str, shape: list[int]) -> tuple[str, str]:
        self.inputs.append(tensor(f"{name}_past", shape))
        self.outputs.append(tensor(f"{name}_next", shape))
        return f"{name}_past", f"{name}_next"


def tensor(name: str, shape: Sequence[str | int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def gate_order(weight: Float32) -> Float32:
    """Torch's gate order reset, update, new -> ONNX's update, reset, new."""
    reset, update, new = np.split(weight, 3)
    return np.concatenate([update, reset, new])
