"""Matrix times vector: the layouts of the weight file, dense and sparse, in every build against the reference."""

import numpy as np
import pytest

from kernels import Native, every_build, kernels, same_bytes
from modules import pruned
from sordino.chain.model import NetworkShape, random_model
from sordino.chain.network import QuantisedMatrix, _IntegerLayer
from sordino.formats import weight_file
from sordino.formats.weight_file import MatrixPlace, network_id, sparse_blocks

TOGETHER = 4
SIZES = [(32, 4), (64, 8), (96, 72), (768, 256), (288, 480)]


def some_matrix(rows, columns, density, seed=0):
    """8-bit weights at both limits too, with whole blocks of 8 x 4 set to 0."""
    rng = np.random.default_rng(seed)
    weight = rng.integers(-127, 128, (rows, columns)).astype(np.int8)
    weight[:, : columns // 2] = np.where(rng.random((rows, columns // 2)) < 0.5, -127, 127)
    kept = rng.random((rows // 8, columns // 4)) < density
    weight *= kept.repeat(8, axis=0).repeat(4, axis=1)
    return QuantisedMatrix(weight, rng.random(rows).astype(np.float32), rng.normal(0, 1, rows).astype(np.float32))


def packed(matrix, sparse):
    rows, columns = matrix.weight.shape
    blocks = matrix.weight.reshape(rows // 8, 8, columns // 4, 4).any(axis=(1, 3))
    place = MatrixPlace("some", rows, columns, 0, int(blocks.sum()) if sparse else None)
    data = np.frombuffer(weight_file._pack(matrix, place), np.uint8)
    assert data.size == place.bytes
    return data.copy(), place


def activations(columns, seed=0):
    """Bytes at both limits, and what the reference has to be given so that it makes them."""
    q = np.random.default_rng([columns, seed]).choice(np.array([1, 2, 63, 64, 65, 126, 127], np.uint8), columns)
    return q, ((q.astype(np.float32) - 64) / np.float32(63)).astype(np.float32)


@every_build
@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_dense(build, rows, columns):
    matrix = some_matrix(rows, columns, 1)
    data, _ = packed(matrix, False)
    q, x = activations(columns)
    y = np.zeros(rows, np.float32)
    kernels(build).run("dense", y, data, q, rows, columns)
    same_bytes(y, _IntegerLayer(matrix)(x), f"{rows} x {columns}")


@every_build
@pytest.mark.parametrize(("rows", "columns"), SIZES)
@pytest.mark.parametrize("density", [0, 0.1, 0.5, 1])
def test_sparse(build, rows, columns, density):
    matrix = some_matrix(rows, columns, density)
    data, place = packed(matrix, True)
    q, x = activations(columns)
    y = np.zeros(rows, np.float32)
    assert kernels(build).run("sparse_valid", data, rows, columns, place.blocks) == 1
    kernels(build).run("sparse", y, data, q, rows, columns, place.blocks)
    same_bytes(y, _IntegerLayer(matrix)(x), f"{rows} x {columns}, density {density}")


@every_build
@pytest.mark.parametrize(("rows", "columns"), SIZES)
@pytest.mark.parametrize("density", [None, 0.1, 0.5])
def test_several_vectors_together(build, rows, columns, density):
    """density: None is a dense matrix."""
    sparse = density is not None
    matrix = some_matrix(rows, columns, density or 1)
    data, place = packed(matrix, sparse)
    pairs = [activations(columns, seed) for seed in range(TOGETHER)]
    q = np.stack([pair[0] for pair in pairs])
    y = np.zeros((TOGETHER, rows), np.float32)
    run_together(kernels(build), y, data, q, rows, columns, place.blocks)
    for k, (_, x) in enumerate(pairs):
        same_bytes(y[k], _IntegerLayer(matrix)(x), f"vector {k} of {rows} x {columns}, density {density}")


def run_together(kernel, y, data, q, rows, columns, blocks, way=""):
    """Several vectors; way is what the function's name ends in."""
    name, sizes = ("dense", (rows, columns)) if blocks is None else ("sparse", (rows, columns, blocks))
    if isinstance(kernel, Native):
        kernel.run(f"{name}_together", y, rows, data, list(q), *sizes)
        return
    memory = kernel.memory
    memory.top = kernel.bottom
    vectors = [memory.place(vector.tobytes()) for vector in q]
    at, matrix_at = memory.place(y.tobytes()), memory.place(data.tobytes())
    list_at = memory.place(np.array(vectors, "<u4").tobytes())
    memory.call(f"sordino_{name}_together{way}", at, rows, matrix_at, list_at, *sizes)
    y[...] = memory.floats(at, y.size).reshape(y.shape)


@every_build
def test_damaged_lists_are_refused(build):
    rows, columns = 96, 72
    data, place = packed(some_matrix(rows, columns, 0.5), True)
    lists = data[12 * rows :].view(np.uint16)
    column_at = 16
    for at, value in ((0, lists[0] + 1), (column_at, columns), (column_at, 65535)):
        before, lists[at] = lists[at], value
        assert kernels(build).run("sparse_valid", data, rows, columns, place.blocks) == 0
        lists[at] = before
    assert kernels(build).run("sparse_valid", data, rows, columns, place.blocks) == 1


def test_sparse_is_chosen_by_density():
    model = random_model(NetworkShape(32, 40, 48, 64, 2, 64, 32))
    assert sparse_blocks(model) == {}
    chosen = sparse_blocks(pruned(model, 0.25))
    assert set(chosen) == {f"{g}_{k}" for g in ("gru1", "gru2", "gain_gru", "strength_gru") for k in ("input", "state")}
    assert chosen["gru1_state"] == 3 * 64 * 64 // 32 // 4
    assert sparse_blocks(pruned(model, 0.75)) == {}
    assert network_id(model.shape, chosen) != network_id(model.shape) == network_id(model.shape, {})
