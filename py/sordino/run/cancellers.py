"""Cancellers: echo control of one channel by the NumPy reference, the extension and a WebAssembly build."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from sordino.chain import echo
from sordino.chain.numerics import Float32
from sordino.chain.params import HOP

from .wasm_memory import WasmMemory


class Canceller(Protocol):
    """Takes the echo of what is played out of one channel of the microphone."""

    def cancel(self, near: Float32, far: Float32) -> Float32:
        """Take a whole number of hops of both, (n,) float32 at 48 kHz; give near without the echo, no later."""


class ReferenceCanceller:
    def __init__(self) -> None:
        self.state = echo.EchoState()

    def cancel(self, near: Float32, far: Float32) -> Float32:
        hops = zip(near.reshape(-1, HOP), far.reshape(-1, HOP), strict=True)
        return np.concatenate([echo.cancel(self.state, n.astype(np.float32), f.astype(np.float32)) for n, f in hops])


class NativeCanceller:
    def __init__(self) -> None:
        from sordino._native import Echo

        self.echo = Echo()

    def cancel(self, near: Float32, far: Float32) -> Float32:
        out = np.empty(near.shape, np.float32)
        self.echo.cancel(out, np.ascontiguousarray(near, np.float32), np.ascontiguousarray(far, np.float32))
        return out


class WasmCanceller:
    def __init__(self, memory: WasmMemory) -> None:
        self.memory = memory
        self.echo = memory.reserve(memory.call("sordino_echo_bytes"))
        self.near, self.far = (memory.reserve(4 * HOP) for _ in range(2))
        memory.call("sordino_reset_echo", self.echo)

    def cancel(self, near: Float32, far: Float32) -> Float32:
        hops = zip(near.reshape(-1, HOP), far.reshape(-1, HOP), strict=True)
        return np.concatenate([self._cancel_hop(n, f) for n, f in hops])

    def _cancel_hop(self, near: Float32, far: Float32) -> Float32:
        for at, hop in ((self.near, near), (self.far, far)):
            self.memory.write(at, np.ascontiguousarray(hop, np.float32).tobytes())
        self.memory.call("sordino_cancel", self.near, self.echo, self.near, self.far)
        return self.memory.floats(self.near, HOP)
