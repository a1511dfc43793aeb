"""Align: undo the latency. Blocks through something that is late go in, blocks in time with the input come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from sordino.chain.numerics import Float32


def aligned(
    blocks: Iterable[Float32], push: Callable[[Float32], Float32], latency: int, silence: int
) -> Iterator[Float32]:
    """Push blocks, then silence, and leave out the first `latency` frames that come back.

    blocks   (..., n) float32 each, n >= 0, the last axis being time
    push     takes a block and gives (..., m), what is ready; m need not be n
    latency  frames between what goes in and what comes back
    silence  frames of each block of silence, >= 1, that follow until the last of the input has come back
    returns  blocks (..., m), together as long as the input
    """
    heard = given = 0
    skip, still = latency, np.zeros(0, np.float32)
    for block in blocks:
        heard += block.shape[-1]
        still = np.zeros((*block.shape[:-1], silence), np.float32)
        found = push(block)
        first = min(skip, found.shape[-1])
        skip -= first
        given += found.shape[-1] - first
        yield found[..., first:]
    while given < heard:
        found = push(still)
        first = min(skip, found.shape[-1])
        skip -= first
        last = min(found.shape[-1], first + heard - given)
        given += last - first
        yield found[..., first:last]
