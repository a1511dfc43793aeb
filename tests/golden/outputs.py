"""What the native build makes of the golden signals: the bytes every other build has to give."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from golden.signals import Samples, golden_signals
from sordino.chain.params import HOP
from sordino.run.engines import open_engine


@dataclass(frozen=True)
class Golden:
    """A golden signal and the native build's output for it, both whole hops, the state fresh at the start.

    input, output  also the paths under which the browser tests' server offers the bytes
    """

    name: str
    samples: Samples
    cleaned: Samples

    @property
    def input(self) -> str:
        return f"/golden/{self.name}.input.f32"

    @property
    def output(self) -> str:
        return f"/golden/{self.name}.output.f32"

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.cleaned.tobytes()).hexdigest()


def whole_hops(samples: Samples) -> Samples:
    """The samples without what does not fill a hop."""
    return np.ascontiguousarray(samples[: samples.size - samples.size % HOP])


def native_output(samples: Samples) -> Samples:
    """What the native build makes of whole hops, from a fresh state."""
    return open_engine("native").process(samples)


def golden_outputs() -> list[Golden]:
    """All golden signals with the native build's output for each."""
    signals = {name: whole_hops(samples) for name, samples in golden_signals().items()}
    return [Golden(name, samples, native_output(samples)) for name, samples in signals.items()]
