"""The weight file: header, feature normalisation and 8-bit matrices in the order in which the kernels stream them.

    header   WEIGHT_HEADER_BYTES: magic, version, bytes, Adler-32 of all that follows the header, network id, look-ahead,
             zeros, name (32 bytes); little-endian
    float32  feature offset, feature factor, PADDED_FEATURES each
    matrix   float32 scale, float32 bias, int32 offset (-64 x sum of the row), ROWS each; int8 weights in blocks of 32 rows
"""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..features import normaliser
from ..model import Model, ModelError, NetworkShape
from ..network import QuantisedMatrix, quantise
from ..params import ACTIVATION_OFFSET, FEATURES

MAGIC = 0x4E445253  # "SRDN"
FORMAT_VERSION = 1
HEADER_BYTES = 64
ROW_BLOCK = 32
COLUMN_GROUP = 4
ROW_GROUP = 4
PADDED_FEATURES = -(-FEATURES // 4) * 4


@dataclass(frozen=True)
class MatrixPlace:
    """Where a matrix lies in the weight file, sizes padded to full blocks."""

    name: str
    rows: int
    columns: int
    at: int

    @property
    def bytes(self) -> int:
        return 12 * self.rows + self.rows * self.columns


def network_id(shape: NetworkShape) -> int:
    """32 bits that identify a shape."""
    return zlib.crc32(json.dumps(dataclasses.asdict(shape), sort_keys=True).encode())


def matrix_sizes(shape: NetworkShape) -> dict[str, tuple[int, int]]:
    """(rows, columns) of every matrix before padding, in file order."""
    sizes: dict[str, tuple[int, int]] = {}
    for name, s in shape.weight_shapes().items():
        layer, _, kind = name.partition(".")
        if kind == "weight":
            sizes[layer] = (s[0], int(np.prod(s[1:])))
        elif kind in ("weight_ih", "weight_hh"):
            sizes[layer + ("_input" if kind == "weight_ih" else "_state")] = (s[0], s[1])
    return sizes


def layout(shape: NetworkShape) -> tuple[list[MatrixPlace], int]:
    """Places of all matrices and the size of the whole file.

    raises  ModelError if a layer size is not a multiple of 4
    """
    sizes = {"fc": shape.fc, "conv1": shape.conv1, "conv2": shape.conv2}
    for name, size in {**sizes, **{name: hidden for name, _, hidden in shape.grus()}}.items():
        if size % 4:
            raise ModelError(f"layer {name} has size {size}, wanted a multiple of 4")
    places, at = [], HEADER_BYTES + 8 * PADDED_FEATURES
    for name, (rows, columns) in matrix_sizes(shape).items():
        place = MatrixPlace(name, -(-rows // ROW_BLOCK) * ROW_BLOCK, -(-columns // COLUMN_GROUP) * COLUMN_GROUP, at)
        places.append(place)
        at += place.bytes
    return places, at


def _pack(matrix: QuantisedMatrix, place: MatrixPlace) -> bytes:
    rows, columns = matrix.weight.shape
    weight = np.zeros((place.rows, place.columns), np.int8)
    weight[:rows, :columns] = matrix.weight
    scale, bias = np.zeros(place.rows, "<f4"), np.zeros(place.rows, "<f4")
    scale[:rows], bias[:rows] = matrix.scale, matrix.bias
    offset = (-ACTIVATION_OFFSET * weight.sum(axis=1, dtype=np.int32)).astype("<i4")
    blocks = weight.reshape(-1, ROW_BLOCK, place.columns // COLUMN_GROUP, COLUMN_GROUP).transpose(0, 2, 1, 3)
    return scale.tobytes() + bias.tobytes() + offset.tobytes() + np.ascontiguousarray(blocks).tobytes()


def weight_bytes(model: Model) -> bytes:
    """The whole weight file of a model; the same bytes for the same model."""
    places, total = layout(model.shape)
    normalisation = np.zeros((2, PADDED_FEATURES), "<f4")
    normalisation[:, :FEATURES] = normaliser(model.feature_mean, model.feature_std)
    quantised = quantise(model)
    body = normalisation.tobytes() + b"".join(_pack(quantised[p.name], p) for p in places)
    fixed = struct.pack(
        "<6I", MAGIC, FORMAT_VERSION, total, zlib.adler32(body), network_id(model.shape), model.look_ahead
    )
    name = model.name.encode()[:31]
    return fixed.ljust(HEADER_BYTES - 32, b"\0") + name.ljust(32, b"\0") + body


def write_weights(model: Model, path: Path) -> int:
    """Write the weight file, complete or not at all; returns its size in bytes."""
    data = weight_bytes(model)
    partial = path.with_suffix(".partial")
    partial.write_bytes(data)
    partial.replace(path)
    return len(data)
