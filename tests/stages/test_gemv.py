"""Matrix times vector: the layout of the weight file in every build against the reference."""

import re

import numpy as np
import pytest

from builder.paths import WASM
from kernels import Native, every_build, kernels, same_bytes
from sordino.chain.network import QuantisedMatrix, _IntegerLayer
from sordino.formats import weight_file
from sordino.formats.weight_file import MatrixPlace

TOGETHER = 4
MOST_COLUMNS = int(re.search(r"SORDINO_NETWORK_COLUMNS (\d+)", (WASM / "gen" / "params.h").read_text())[1])
SIZES = [(16, 4), (64, 8), (96, 72), (768, 128), (288, MOST_COLUMNS)]


def some_matrix(rows, columns, seed=0):
    """8-bit weights, at both limits in one half of the columns."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
    weight[:, : columns // 2] = np.where(rng.random((rows, columns // 2)) < 0.5, -127, 127)
    return QuantisedMatrix(weight, rng.random(rows).astype(np.float32), rng.normal(0, 1, rows).astype(np.float32))


def packed(matrix):
    place = MatrixPlace("some", *matrix.weight.shape, 0)
    data = np.frombuffer(weight_file._pack(matrix, place), np.uint8)
    assert data.size == place.bytes
    return data.copy()


def activations(columns, seed=0):
    """Bytes at both limits, and what the reference has to be given so that it makes them."""
    q = np.random.default_rng([columns, seed]).choice(np.array([1, 2, 63, 64, 65, 126, 127], np.uint8), columns)
    return q, ((q.astype(np.float32) - 64) / np.float32(63)).astype(np.float32)


@every_build
@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_one_vector(build, rows, columns):
    matrix = some_matrix(rows, columns)
    q, x = activations(columns)
    y = np.zeros(rows, np.float32)
    kernels(build).run("dense", y, packed(matrix), q, rows, columns)
    same_bytes(y, _IntegerLayer(matrix)(x), f"{rows} x {columns}")


@every_build
@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_several_vectors_together(build, rows, columns):
    matrix = some_matrix(rows, columns)
    pairs = [activations(columns, seed) for seed in range(TOGETHER)]
    y = np.zeros((TOGETHER, rows), np.float32)
    run_together(kernels(build), y, packed(matrix), np.stack([q for q, _ in pairs]), rows, columns)
    for k, (_, x) in enumerate(pairs):
        same_bytes(y[k], _IntegerLayer(matrix)(x), f"vector {k} of {rows} x {columns}")


def run_together(kernel, y, data, q, rows, columns, way=""):
    """Several vectors; way is what the function's name ends in."""
    if isinstance(kernel, Native):
        kernel.run("dense_together", y, rows, data, list(q), rows, columns)
        return
    memory = kernel.memory
    memory.top = kernel.bottom
    vectors = [memory.place(vector.tobytes()) for vector in q]
    at, matrix_at = memory.place(y.tobytes()), memory.place(data.tobytes())
    list_at = memory.place(np.array(vectors, "<u4").tobytes())
    memory.call(f"sordino_dense_together{way}", at, rows, matrix_at, list_at, rows, columns)
    y[...] = memory.floats(at, y.size).reshape(y.shape)
