"""Far end: a recording of what was played goes in, its mono samples come out beside the blocks of the microphone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from sordino.chain.numerics import Float32
from sordino.chain.resample import half_width
from sordino.run.align import aligned
from sordino.run.stream import NativeResampler

from .reading import open_sound


def mono_at(path: Path, rate: int) -> Iterator[Float32]:
    """Blocks (n,) of a recording at a rate, channels averaged, from its beginning. raises AudioError"""
    sound = open_sound(path)
    own = sound.format.rate
    try:
        mono = (block.mean(axis=0, dtype=np.float64).astype(np.float32) for block in sound.blocks())
        if own == rate:
            yield from mono
            return
        late = math.ceil(half_width(own, rate) * rate / own)  # a whole number of samples after the conversion
        converter = NativeResampler(own, rate, late * own / rate)
        yield from aligned(mono, converter.process, late, own)
    finally:
        sound.close()


def beside(blocks: Iterable[Float32], far: Iterator[Float32]) -> Iterator[Float32]:
    """Blocks (channels, n) with a last row (n,) of the far end, silent where that has ended."""
    waiting = np.zeros(0, np.float32)
    for block in blocks:
        wanted = block.shape[1]
        while waiting.shape[0] < wanted:
            more = next(far, None)
            if more is None:
                more = np.zeros(wanted - waiting.shape[0], np.float32)
            waiting = np.concatenate([waiting, more])
        yield np.vstack([block, waiting[:wanted]])
        waiting = waiting[wanted:]
