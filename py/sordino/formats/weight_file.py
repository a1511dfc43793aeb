"""The weight file: header, feature normalisation and 8-bit matrices in the order in which the kernels stream them.

header   WEIGHT_HEADER_BYTES: magic, version, bytes, Adler-32 of all that follows the header, network id,
         look-ahead, zeros, name (32 bytes); little-endian
float32  feature offset, feature factor, PADDED_FEATURES each
matrix   float32 scale, float32 bias, int32 offset (-64 x sum of the row), ROWS each; then int8 weights:
         dense in blocks of 16 rows; or, where most are zero, only the blocks of 8 rows x 4 columns that are not,
         after two uint16 lists: blocks per strip of 8 rows, first column of each block
vector   float32 values, zeros up to PADDED_BANDS bands; only in networks whose weights are shared by bands
"""

from __future__ import annotations

import dataclasses
import json
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sordino.chain.features import normaliser
from sordino.chain.model import BandShape, Model, ModelError, Shape
from sordino.chain.network import QuantisedMatrix
from sordino.chain.networks import quantise
from sordino.chain.params import ACTIVATION_OFFSET, BANDS, FEATURES

MAGIC = 0x4E445253  # "SRDN"
FORMAT_VERSION = 2
HEADER_BYTES = 64
ROW_PADDING = 32
ROW_BLOCK = 16
COLUMN_GROUP = 4
STRIP_ROWS = 8
SPARSE_DENSITY = 0.5
"""Up to this part of blocks that are not zero a matrix is stored sparse: beyond, the dense stream is faster."""
PADDED_FEATURES = -(-FEATURES // 4) * 4
PADDED_BANDS = -(-BANDS // 4) * 4


@dataclass(frozen=True)
class MatrixPlace:
    """Where a matrix lies in the weight file, sizes padded to full blocks."""

    name: str
    rows: int
    columns: int
    at: int
    blocks: int | None = None
    """Blocks of a sparse matrix; None: dense."""

    @property
    def bytes(self) -> int:
        if self.blocks is None:
            return 12 * self.rows + self.rows * self.columns
        lists = _list_length(self.rows // STRIP_ROWS) + _list_length(self.blocks)
        return 12 * self.rows + 2 * lists + STRIP_ROWS * COLUMN_GROUP * self.blocks


@dataclass(frozen=True)
class VectorPlace:
    """Where weights lie that no product uses, as float32; those of bands are padded to PADDED_BANDS."""

    name: str
    count: int
    at: int


def _list_length(items: int) -> int:
    return -(-items // 8) * 8


def network_id(shape: Shape, sparse: dict[str, int] | None = None) -> int:
    """32 bits that identify a shape and the numbers of blocks of its sparse matrices."""
    named = dataclasses.asdict(shape) | ({"sparse": sparse} if sparse else {})
    return zlib.crc32(json.dumps(named, sort_keys=True).encode())


def matrix_sizes(shape: Shape) -> dict[str, tuple[int, int]]:
    """(rows, columns) of every matrix before padding, in file order."""
    weights = shape.weight_shapes()
    if isinstance(shape, BandShape):
        stacked = {name: [weights[part] for part in parts] for name, parts in shape.matrices().items()}
        return {name: (sum(rows for rows, _ in parts), parts[0][1]) for name, parts in stacked.items()}
    sizes: dict[str, tuple[int, int]] = {}
    for name, s in weights.items():
        layer, _, kind = name.partition(".")
        if kind == "weight":
            sizes[layer] = (s[0], int(np.prod(s[1:])))
        elif kind in ("weight_ih", "weight_hh"):
            sizes[layer + ("_input" if kind == "weight_ih" else "_state")] = (s[0], s[1])
    return sizes


def _check_sizes(shape: Shape) -> None:
    """Refuse layers that do not fill whole registers. Raises ModelError."""
    if isinstance(shape, BandShape):
        sizes = {name: getattr(shape, name) for name in ("channels", "across", "over_time", "memory")}
    else:
        sizes = {"fc": shape.fc, "conv1": shape.conv1, "conv2": shape.conv2}
        sizes |= {name: hidden for name, _, hidden in shape.grus()}
    for name, size in sizes.items():
        if size % 4:
            raise ModelError(f"layer {name} has size {size}, wanted a multiple of 4")


def _row_padding(shape: Shape) -> int:
    return ROW_BLOCK if isinstance(shape, BandShape) else ROW_PADDING


def layout(shape: Shape, sparse: dict[str, int] | None = None) -> tuple[list[MatrixPlace], int]:
    """Places of all matrices and the size of the whole file.

    sparse  number of blocks of each sparse matrix, see sparse_blocks
    raises  ModelError if a layer size is not a multiple of 4
    """
    _check_sizes(shape)
    places, at, multiple = [], HEADER_BYTES + 8 * PADDED_FEATURES, _row_padding(shape)
    for name, (rows, columns) in matrix_sizes(shape).items():
        padded = -(-rows // multiple) * multiple, -(-columns // COLUMN_GROUP) * COLUMN_GROUP
        place = MatrixPlace(name, *padded, at, (sparse or {}).get(name))
        places.append(place)
        at += place.bytes
    return places, at + sum(4 * place.count for place in _vector_places(shape, at))


def vector_places(shape: Shape) -> list[VectorPlace]:
    """Places of the vectors, after all matrices; dense layers have none."""
    last = layout(shape)[0][-1]
    return _vector_places(shape, last.at + last.bytes)


def _vector_places(shape: Shape, at: int) -> list[VectorPlace]:
    if not isinstance(shape, BandShape):
        return []
    places, sizes = [], shape.weight_shapes()
    for name, weight in shape.vectors().items():
        size = sizes[weight]
        count = PADDED_BANDS * int(np.prod(size[1:])) if size[0] == BANDS else size[0]
        places.append(VectorPlace(name, count, at))
        at += 4 * count
    return places


def _padded(weight: NDArray[np.int8], rows: int) -> NDArray[np.int8]:
    """With zeros up to so many rows and to whole groups of columns."""
    return np.pad(weight, ((0, rows - weight.shape[0]), (0, -weight.shape[1] % COLUMN_GROUP)))


def _blocks(weight: NDArray[np.int8]) -> NDArray[np.int8]:
    """(strips, column groups, STRIP_ROWS, COLUMN_GROUP) of a padded matrix."""
    return weight.reshape(-1, STRIP_ROWS, weight.shape[1] // COLUMN_GROUP, COLUMN_GROUP).transpose(0, 2, 1, 3)


def sparse_blocks(model: Model) -> dict[str, int]:
    """Matrices that are stored sparse, with the number of blocks that are not zero; none where bands share weights."""
    found: dict[str, int] = {}
    if isinstance(model.shape, BandShape):
        return found
    for name, matrix in quantise(model).items():
        rows = -(-matrix.weight.shape[0] // ROW_PADDING) * ROW_PADDING
        kept = np.asarray(_blocks(_padded(matrix.weight, rows)).any(axis=(2, 3)))
        if kept[: -(-matrix.weight.shape[0] // STRIP_ROWS)].mean() <= SPARSE_DENSITY:
            found[name] = int(kept.sum())
    return found


def _pack_dense(weight: NDArray[np.int8]) -> bytes:
    blocks = weight.reshape(-1, ROW_BLOCK, weight.shape[1] // COLUMN_GROUP, COLUMN_GROUP).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(blocks).tobytes()


def _pack_sparse(weight: NDArray[np.int8]) -> bytes:
    blocks = _blocks(weight)
    kept = blocks.any(axis=(2, 3))
    count, column = kept.sum(axis=1), np.nonzero(kept)[1] * COLUMN_GROUP
    lists = [np.pad(x, (0, -x.shape[0] % 8)).astype("<u2").tobytes() for x in (count, column)]
    return b"".join(lists) + np.ascontiguousarray(blocks[kept]).tobytes()


def _pack(matrix: QuantisedMatrix, place: MatrixPlace) -> bytes:
    rows = matrix.weight.shape[0]
    weight = _padded(matrix.weight, place.rows)
    scale, bias = np.zeros(place.rows, "<f4"), np.zeros(place.rows, "<f4")
    scale[:rows], bias[:rows] = matrix.scale, matrix.bias
    offset = (-ACTIVATION_OFFSET * weight.sum(axis=1, dtype=np.int32)).astype("<i4")
    packed = _pack_dense(weight) if place.blocks is None else _pack_sparse(weight)
    return b"".join((scale.tobytes(), bias.tobytes(), offset.tobytes(), packed))


def _pack_vector(model: Model, place: VectorPlace, weight: str) -> bytes:
    values = model.weights[weight].astype("<f4").ravel()
    return np.pad(values, (0, place.count - values.size)).tobytes()


def weight_bytes(model: Model) -> bytes:
    """The whole weight file of a model; the same bytes for the same model."""
    sparse, shape = sparse_blocks(model), model.shape
    places, total = layout(shape, sparse)
    normalisation = np.zeros((2, PADDED_FEATURES), "<f4")
    normalisation[:, :FEATURES] = normaliser(model.feature_mean, model.feature_std)
    quantised = quantise(model)
    body = normalisation.tobytes() + b"".join(_pack(quantised[p.name], p) for p in places)
    if isinstance(shape, BandShape):
        body += b"".join(_pack_vector(model, place, shape.vectors()[place.name]) for place in vector_places(shape))
    identity = network_id(shape, sparse)
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
