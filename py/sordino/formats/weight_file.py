"""The weight file: header, feature normalisation and 8-bit matrices in the order in which the kernels stream them.

header   WEIGHT_HEADER_BYTES: magic, version, bytes, Adler-32 of all that follows the header, network id,
         look-ahead, zeros, name (32 bytes); little-endian
float32  feature offset, feature factor, PADDED_FEATURES each
matrix   float32 scale, float32 bias, int32 offset (-64 x sum of the row), ROWS each; then int8 weights in blocks of
         16 rows, within a block 4 columns at a time, row by row
vector   float32 values, zeros up to PADDED_BANDS bands
"""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sordino.chain.features import normaliser
from sordino.chain.model import Model, ModelError, NetworkShape
from sordino.chain.network import QuantisedMatrix, quantise
from sordino.chain.params import ACTIVATION_OFFSET, BANDS, FEATURES

MAGIC = 0x4E445253  # "SRDN"
FORMAT_VERSION = 2
HEADER_BYTES = 64
ROW_BLOCK = 16
COLUMN_GROUP = 4
PADDED_FEATURES = -(-FEATURES // 4) * 4
PADDED_BANDS = -(-BANDS // 4) * 4


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


@dataclass(frozen=True)
class VectorPlace:
    """Where weights lie that no product uses, as float32; those of bands are padded to PADDED_BANDS."""

    name: str
    count: int
    at: int


def network_id(shape: NetworkShape) -> int:
    """32 bits that identify a shape."""
    return zlib.crc32(json.dumps(dataclasses.asdict(shape), sort_keys=True).encode())


def matrix_sizes(shape: NetworkShape) -> dict[str, tuple[int, int]]:
    """(rows, columns) of every matrix before padding, in file order."""
    weights = shape.weight_shapes()
    stacked = {name: [weights[part] for part in parts] for name, parts in shape.matrices().items()}
    return {name: (sum(rows for rows, _ in parts), parts[0][1]) for name, parts in stacked.items()}


def _check_sizes(shape: NetworkShape) -> None:
    """Refuse layers that do not fill whole registers. Raises ModelError."""
    for name in ("channels", "across", "over_time", "memory"):
        if (size := getattr(shape, name)) % 4:
            raise ModelError(f"layer {name} has size {size}, wanted a multiple of 4")


def layout(shape: NetworkShape) -> tuple[list[MatrixPlace], list[VectorPlace], int]:
    """Places of all matrices, then of all vectors, and the size of the whole file.

    raises  ModelError if a layer size is not a multiple of 4
    """
    _check_sizes(shape)
    matrices, at = [], HEADER_BYTES + 8 * PADDED_FEATURES
    for name, (rows, columns) in matrix_sizes(shape).items():
        padded = -(-rows // ROW_BLOCK) * ROW_BLOCK, -(-columns // COLUMN_GROUP) * COLUMN_GROUP
        matrices.append(MatrixPlace(name, *padded, at))
        at += matrices[-1].bytes
    vectors, sizes = [], shape.weight_shapes()
    for name, weight in shape.vectors().items():
        size = sizes[weight]
        count = PADDED_BANDS * int(np.prod(size[1:])) if size[0] == BANDS else size[0]
        vectors.append(VectorPlace(name, count, at))
        at += 4 * count
    return matrices, vectors, at


def _pack(matrix: QuantisedMatrix, place: MatrixPlace) -> bytes:
    rows, columns = matrix.weight.shape
    weight = np.pad(matrix.weight, ((0, place.rows - rows), (0, place.columns - columns)))
    scale, bias = np.zeros(place.rows, "<f4"), np.zeros(place.rows, "<f4")
    scale[:rows], bias[:rows] = matrix.scale, matrix.bias
    offset = (-ACTIVATION_OFFSET * weight.sum(axis=1, dtype=np.int32)).astype("<i4")
    blocks = weight.reshape(-1, ROW_BLOCK, place.columns // COLUMN_GROUP, COLUMN_GROUP).transpose(0, 2, 1, 3)
    return b"".join((scale.tobytes(), bias.tobytes(), offset.tobytes(), np.ascontiguousarray(blocks).tobytes()))


def _pack_vector(model: Model, place: VectorPlace) -> bytes:
    values = model.weights[model.shape.vectors()[place.name]].astype("<f4").ravel()
    return np.pad(values, (0, place.count - values.size)).tobytes()


def weight_bytes(model: Model) -> bytes:
    """The whole weight file of a model; the same bytes for the same model."""
    matrices, vectors, total = layout(model.shape)
    normalisation = np.zeros((2, PADDED_FEATURES), "<f4")
    normalisation[:, :FEATURES] = normaliser(model.feature_mean, model.feature_std)
    quantised = quantise(model)
    body = normalisation.tobytes() + b"".join(_pack(quantised[place.name], place) for place in matrices)
    body += b"".join(_pack_vector(model, place) for place in vectors)
    identity = network_id(model.shape)
    fixed = struct.pack("<6I", MAGIC, FORMAT_VERSION, total, zlib.adler32(body), identity, model.look_ahead)
    name = model.name.encode()[:31]
    return fixed.ljust(HEADER_BYTES - 32, b"\0") + name.ljust(32, b"\0") + body


def write_weights(model: Model, path: Path) -> int:
    """Write the weight file, complete or not at all; returns its size in bytes."""
    data = weight_bytes(model)
    partial = path.with_suffix(".partial")
    partial.write_bytes(data)
    partial.replace(path)
    return len(data)
