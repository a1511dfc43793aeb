"""The network as an ONNX graph: a model goes in, nodes on tensors (frames, BANDS, channels) come out; and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from sordino.chain.model import BAND_FEATURES, HEADS, NEAR_BANDS, PATCH_BANDS, SQUEEZED, WIDENED, Model, NetworkShape
from sordino.chain.numerics import Float32
from sordino.chain.params import BANDS, FEATURES

KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
END = 2**31


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


class _Layers:
    """The layers of a network as nodes of a graph."""

    def __init__(self, model: Model) -> None:
        self.graph, self.shape, self.weights = Graph(), model.shape, model.weights
        self.count = 0
        gates = {f"{name}.{kind}" for name in self.shape.grus() for kind in KINDS}
        for name, value in model.weights.items():
            if name not in gates:
                self.graph.constant(name, value)

    def numbers(self, *values: int) -> str:
        """A list of whole numbers as a constant; the same list only once."""
        name = "list_" + "_".join(map(str, values)).replace("-", "minus")
        if all(known.name != name for known in self.graph.initializers):
            self.graph.constant(name, np.array(values))
        return name

    def say(self, op: str, *inputs: str, output: str = "", **attributes: object) -> str:
        """A node; without a name of its own its output has a number."""
        self.count += 1
        return self.graph.node(op, list(inputs), output or f"{op.lower()}_{self.count}", **attributes)

    def cut(self, x: str, axis: int, first: int, last: int, output: str = "") -> str:
        limits = (self.numbers(first), self.numbers(last), self.numbers(axis))
        return self.say("Slice", x, *limits, output=output)

    def neighbours(self, x: str, count: int) -> str:
        """Each band with its neighbours, zeros beyond the ends; (frames, BANDS, n) -> (frames, BANDS, count n)."""
        reach = count // 2
        padded = self.say("Pad", x, self.numbers(0, reach, 0, 0, reach, 0))
        return self.say("Concat", *(self.cut(padded, 1, i, i + BANDS) for i in range(count)), axis=2)

    def dense(self, name: str, x: str) -> str:
        turned = self.say("Transpose", f"{name}.weight", perm=[1, 0])
        return self.say("Add", self.say("MatMul", x, turned), f"{name}.bias")

    def squash(self, name: str, x: str) -> str:
        return self.say("Tanh", self.say("Add", self.say("Mul", x, f"{name}.scale"), f"{name}.shift"))

    def recur(self, name: str, parts: tuple[str, ...], x: str, past: str, following: str) -> str:
        """GRUs over the first axis of (steps, rows, n), one direction for each part: (steps, parts, rows, size)."""
        stacked = {kind: [gate_order(self.weights[f"{part}.{kind}"]) for part in parts] for kind in KINDS}
        w, r = (self.graph.constant(f"{name}.{kind}", np.stack(stacked[kind])) for kind in KINDS[:2])
        both = zip(stacked["bias_ih"], stacked["bias_hh"], strict=True)
        b = self.graph.constant(f"{name}.bias", np.stack([np.concatenate(pair) for pair in both]))
        attributes: dict[str, int | str] = {"hidden_size": self.shape.grus()[parts[0]][1], "linear_before_reset": 1}
        attributes |= {"direction": "bidirectional"} if len(parts) == 2 else {}
        out = f"{name}_sequence"
        self.graph.nodes.append(
            helper.make_node("GRU", [x, w, r, b, "", past], [out, following], name=name, **attributes)
        )
        return out

    def patch(self) -> str:
        """First layer over the last frames."""
        taps = self.shape.taps
        joined = "features"
        if taps > 1:
            past, following = self.graph.state("features", [taps - 1, FEATURES])
            joined = self.say("Concat", past, "features", axis=0)
            self.cut(joined, 0, 1 - taps, END, output=following)
        own = [
            self.say("Unsqueeze", self.cut(joined, 1, i * BANDS, (i + 1) * BANDS), self.numbers(2)) for i in range(2)
        ]
        rest = self.say("Unsqueeze", self.cut(joined, 1, 2 * BANDS, FEATURES), self.numbers(1))
        wide = self.say("Expand", rest, self.numbers(1, BANDS, BAND_FEATURES - 2))
        frames = self.neighbours(self.say("Concat", *own, wide, axis=2), PATCH_BANDS)
        ends = [tap - taps + 1 if tap + 1 < taps else END for tap in range(taps)]
        seen = self.say("Concat", *(self.cut(frames, 0, tap, end) for tap, end in enumerate(ends)), axis=2)
        return self.say("Tanh", self.say("Add", self.dense("patch", seen), "label"))

    def across(self, block: str, x: str) -> str:
        seen = self.say("Transpose", self.squash(f"{block}.band_squash", x), perm=[1, 0, 2])
        found = self.recur(f"{block}.bands", (f"{block}.up", f"{block}.down"), seen, "", "")
        turned = self.say("Transpose", found, perm=[2, 0, 1, 3])
        flat = self.say("Reshape", turned, self.numbers(0, BANDS, 2 * self.shape.across))
        return self.say("Add", x, self.dense(f"{block}.from_bands", flat))

    def over_time(self, block: str, x: str) -> str:
        name = f"{block}.time"
        past, following = self.graph.state(name, [1, BANDS, self.shape.over_time])
        found = self.recur(name, (name,), self.squash(f"{block}.time_squash", x), past, following)
        return self.say("Add", x, self.dense(f"{block}.from_time", self.say("Squeeze", found, self.numbers(1))))

    def remember(self, x: str) -> str:
        squeezed = self.say("Tanh", self.dense("memory.squeeze", self.squash("memory.squash", x)))
        flat = self.say("Reshape", squeezed, self.numbers(0, BANDS * SQUEEZED))
        into = self.say("Unsqueeze", self.say("Tanh", self.dense("memory.into", flat)), self.numbers(1))
        past, following = self.graph.state("memory.gru", [1, 1, self.shape.memory])
        found = self.recur("memory.gru", ("memory.gru",), into, past, following)
        out = self.say("Tanh", self.dense("memory.out", self.say("Squeeze", found, self.numbers(1, 2))))
        wide = self.say("Reshape", out, self.numbers(0, BANDS, WIDENED))
        return self.say("Add", x, self.dense("memory.widen", wide))

    def decide(self, x: str) -> None:
        seen = self.squash("squash", x)
        for head, size in HEADS.items():
            value = self.say("Squeeze", self.dense(head, seen), self.numbers(2))
            if head == "voice":
                value = self.say("ReduceMean", value, axes=[1], keepdims=1)
            else:
                value = self.say("Add", value, f"{head}_bias")
            self.say("Sigmoid", value, output=head)
            self.graph.outputs.append(tensor(head, ["frames", size]))


def build(model: Model) -> Graph:
    """The graph of a model: its weights, its states as inputs and outputs, its decisions as outputs."""
    layers = _Layers(model)
    x = layers.patch()
    x = layers.say("Add", x, layers.say("Tanh", layers.dense("near", layers.neighbours(x, NEAR_BANDS))))
    for block in range(layers.shape.blocks):
        x = layers.over_time(f"blocks.{block}", layers.across(f"blocks.{block}", x))
        if layers.shape.memory and block == 0:
            x = layers.remember(x)
    layers.decide(x)
    return layers.graph


def collect(shape: NetworkShape, stored: dict[str, Float32]) -> dict[str, Float32]:
    """The weights of a graph that build made, in torch's layout; what is missing is left out."""
    weights = {name: stored[name] for name in shape.weight_shapes() if name in stored}
    layers = {f"blocks.{b}.bands": [f"blocks.{b}.up", f"blocks.{b}.down"] for b in range(shape.blocks)}
    layers |= {f"blocks.{b}.time": [f"blocks.{b}.time"] for b in range(shape.blocks)}
    layers |= {"memory.gru": ["memory.gru"]} if shape.memory else {}
    for layer, parts in layers.items():
        for i, part in enumerate(parts):
            biases = np.split(stored[f"{layer}.bias"][i], 2)
            values = [stored[f"{layer}.weight_ih"][i], stored[f"{layer}.weight_hh"][i], *biases]
            weights |= {f"{part}.{kind}": gate_order(value) for kind, value in zip(KINDS, values, strict=True)}
    return weights
