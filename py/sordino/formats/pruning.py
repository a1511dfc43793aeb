"""Pruning: a matrix and a density go in, which of its weights stay comes out. They go in blocks that kernels skip."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .weight_file import COLUMN_GROUP, STRIP_ROWS


def strongest_blocks(weight: NDArray[np.float32], density: float) -> NDArray[np.float32]:
    """Which weights stay when the blocks of STRIP_ROWS x COLUMN_GROUP with the least energy go.

    weight   (rows, columns), or (rows, columns, taps) of a convolution, whose taps follow each other in the kernels
    density  share of the blocks to keep, 0..1
    returns  1 or 0 in the shape of `weight`
    """
    matrix = weight.transpose(0, 2, 1).reshape(len(weight), -1) if weight.ndim == 3 else weight
    rows, columns = matrix.shape
    padded = np.pad(matrix, ((0, -rows % STRIP_ROWS), (0, -columns % COLUMN_GROUP)))
    blocks = padded.reshape(-1, STRIP_ROWS, padded.shape[1] // COLUMN_GROUP, COLUMN_GROUP)
    energy = np.square(blocks).sum(axis=(1, 3))
    kept = np.zeros(energy.size, np.float32)
    kept[energy.argsort(axis=None)[energy.size - round(density * energy.size) :]] = 1
    mask = kept.reshape(energy.shape).repeat(STRIP_ROWS, 0).repeat(COLUMN_GROUP, 1)[:rows, :columns]
    return mask.reshape(rows, weight.shape[2], -1).transpose(0, 2, 1) if weight.ndim == 3 else mask
