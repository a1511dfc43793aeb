"""Align: whatever is late, in whatever blocks, what comes out is as long as the input and in time with it."""

import numpy as np
import pytest

from sordino.run.align import aligned


class Late:
    """Gives back what it takes, so many frames late, in whole blocks."""

    def __init__(self, latency: int, block: int, channels: tuple[int, ...]) -> None:
        self.kept, self.block = np.zeros((*channels, latency), np.float32), block

    def push(self, block: np.ndarray) -> np.ndarray:
        joined = np.concatenate([self.kept, block], axis=-1)
        ready = joined.shape[-1] // self.block * self.block
        self.kept = joined[..., ready:]
        return joined[..., :ready]


@pytest.mark.parametrize("channels", [(), (2,)])
@pytest.mark.parametrize("latency", [0, 1, 480, 1441])
@pytest.mark.parametrize("block", [1, 7, 480])
@pytest.mark.parametrize("sizes", [[], [0], [1], [480, 480], [3, 0, 1000, 17]])
def test_alignment(channels: tuple[int, ...], latency: int, block: int, sizes: list[int]) -> None:
    late = Late(latency, block, channels)
    blocks = [np.random.default_rng(i).random((*channels, n)).astype(np.float32) for i, n in enumerate(sizes)]
    out = list(aligned(blocks, late.push, latency, 480))
    if sizes:
        assert (np.concatenate(out, axis=-1) == np.concatenate(blocks, axis=-1)).all()
    assert len(out) >= len(blocks)
