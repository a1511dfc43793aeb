"""Residual GRU: channels of many rows go in, what a GRU says of them is added; compiled, for torch is slow at it.

The C++ beside this file is compiled once for the machine; without a compiler, on a GPU, and for sizes that it does not
know, available() is False and the caller computes the same in torch.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

_SOURCE = Path(__file__).with_suffix(".cpp")
# -ffast-math without what it does to the whole process: linked with it, a library flushes denormal numbers everywhere.
_FAST = ["-fno-math-errno", "-ffinite-math-only", "-fno-trapping-math", "-fno-signed-zeros", "-fassociative-math"]
_FLAGS = ["-O3", "-march=native", *_FAST, "-freciprocal-math", "-fPIC", "-shared"]
SIZES = {(c, h) for c in (16, 32, 48, 64) for h in (16, 32, 48, 64)}
"""(channels, state) that the C++ has been compiled for."""
_ROWS = 16
_KEPT = 5  # values per state that the backward pass needs
Over = Literal["time", "bands"]
Group = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
"""weight_ih (3 H, C), weight_hh (3 H, H), bias_ih (3 H,), bias_hh (3 H,), output weights (C, H) of one direction."""


class _Sequence(ctypes.Structure):
    _fields_ = [(n, ctypes.c_int64) for n in ("steps", "rows", "step", "row", "reverse", "quantised", "has_start")]


class _Weights(ctypes.Structure):
    _names = ("scale", "shift", "wi", "wh", "bi", "bh", "wi_t", "wh_t", "wo", "wo_t", "bo")
    _fields_ = [(n, ctypes.c_void_p) for n in _names]


class _Gradients(ctypes.Structure):
    _fields_ = [(n, ctypes.c_void_p) for n in ("scale", "shift", "wi", "wh", "bi", "bh", "wo_t", "bo")]


def _compilers() -> list[list[str]]:
    found = [[os.environ["CXX"]]] if os.environ.get("CXX") else []
    found += [[name] for name in ("g++", "clang++", "c++") if shutil.which(name)]
    return [*found, [sys.executable, "-m", "ziglang", "c++"]]


@cache
def _library() -> Any:
    """The compiled functions, or None where nothing compiles them."""
    key = hashlib.sha256(_SOURCE.read_bytes() + f"{_FLAGS} {platform.node()} {platform.machine()}".encode()).hexdigest()
    target = Path(tempfile.gettempdir()) / f"sordino-residual-gru-{os.getuid()}-{key[:16]}.so"
    if not target.is_file():
        part = target.with_suffix(f".{os.getpid()}.part")
        for compiler in _compilers():
            done = subprocess.run([*compiler, *_FLAGS, "-o", str(part), str(_SOURCE)], capture_output=True, check=False)
            if done.returncode == 0:
                os.replace(part, target)
                break
        else:
            return None
    library = ctypes.CDLL(str(target))
    pointer, number, size = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
    library.forward.argtypes = [size, size, pointer, pointer, pointer, pointer, pointer, number, pointer, pointer]
    library.backward.argtypes = [
        size,
        size,
        pointer,
        pointer,
        pointer,
        pointer,
        pointer,
        pointer,
        pointer,
        number,
        pointer,
    ]
    return library


def available(x: Tensor, size: int) -> bool:
    """Whether the compiled twin can take x (..., channels) float32 and states of a size."""
    fits = x.dtype == torch.float32 and not x.is_cuda and (x.shape[-1], size) in SIZES
    return fits and _library() is not None


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _sequence(x: Tensor, over: Over, reverse: bool, quantised: bool, start: Tensor | None) -> _Sequence:
    """How x (steps, batch, bands, channels) is walked through."""
    steps, batch, bands, channels = x.shape
    if over == "time":
        lengths = (steps, batch * bands, batch * bands * channels, channels)
    else:
        lengths = (bands, steps * batch, channels, bands * channels)
    return _Sequence(*lengths, int(reverse), int(quantised), int(start is not None))


def _weights(scale: Tensor, shift: Tensor, group: Sequence[Tensor], bias: Tensor | None) -> tuple[list[Any], _Weights]:
    """The tensors, to be kept alive, and their addresses."""
    wi, wh, bi, bh, wo = (tensor.contiguous() for tensor in group)
    kept = [scale, shift, wi, wh, bi, bh, wi.t().contiguous(), wh.t().contiguous(), wo, wo.t().contiguous(), bias]
    return kept, _Weights(*[_address(tensor) for tensor in kept])


class _ResidualGru(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any,
        x: Tensor,
        start: Tensor | None,
        over: Over,
        quantised: bool,
        scale: Tensor,
        shift: Tensor,
        bias: Tensor,
        *flat: Tensor,
    ) -> tuple[Tensor, Tensor]:
        x = x.contiguous()
        channels, size = x.shape[-1], flat[1].shape[1]
        y, kept = torch.empty_like(x), []
        rows = _sequence(x, over, False, quantised, start).rows
        end = x.new_empty(rows, size)
        for direction in range(len(flat) // 5):
            sequence = _sequence(x, over, bool(direction), quantised, start)
            alive, weights = _weights(
                scale, shift, flat[5 * direction : 5 * direction + 5], None if direction else bias
            )
            saved = x.new_empty(-(-rows // _ROWS), sequence.steps, _ROWS, _KEPT * size)
            _library().forward(
                channels, size, ctypes.addressof(sequence), _address(x), ctypes.addressof(weights), _address(start),
                _address(y), direction, _address(end), _address(saved),
            )  # fmt: skip
            kept.append(saved)
            del alive
        context.save_for_backward(x, start, scale, shift, bias, *kept, *flat)
        context.over, context.quantised, context.directions = over, quantised, len(kept)
        context.mark_non_differentiable(end)
        return y, end

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        count = context.directions
        x, start, scale, shift, bias, *rest = context.saved_tensors
        kept, flat = rest[:count], rest[count:]
        dy = gradients[0].contiguous()
        channels, size = x.shape[-1], flat[1].shape[1]
        dx = torch.empty_like(x)
        d_scale, d_shift, d_bias = (torch.zeros_like(t) for t in (scale, shift, bias))
        found: list[Tensor] = []
        for direction in range(count):
            group = flat[5 * direction : 5 * direction + 5]
            sequence = _sequence(x, context.over, bool(direction), context.quantised, start)
            alive, weights = _weights(scale, shift, group, None)
            own = [x.new_zeros(tensor.shape) for tensor in group[:4]] + [x.new_zeros(size, channels)]
            first = None if direction else d_bias
            places = _Gradients(*[_address(t) for t in (d_scale, d_shift, *own, first)])
            _library().backward(
                channels, size, ctypes.addressof(sequence), _address(x), ctypes.addressof(weights), _address(start),
                _address(kept[direction]), _address(dy), _address(dx), direction, ctypes.addressof(places),
            )  # fmt: skip
            found += [*own[:4], own[4].t()]
            del alive
        return dx, None, None, None, d_scale, d_shift, d_bias, *found


def residual_gru(
    x: Tensor,
    over: Over,
    squash: tuple[Tensor, Tensor],
    bias: Tensor,
    groups: Sequence[Group],
    start: Tensor | None = None,
    quantised: bool = False,
) -> tuple[Tensor, Tensor]:
    """Add to x what a GRU says of tanh(scale x + shift); available(x, H) must be True.

    x          (steps, batch, bands, C) float32
    over       "time": a state for each band; "bands": a state for each frame, zeros before the first band
    squash     scale and shift, (C,) each
    bias       (C,) of the output
    groups     one, or two of which the second runs backwards
    start      (batch * bands, H) states before the first frame, over time only; no gradient goes into it
    quantised  what integer products see: the squashed x and the states in 7 bits; the weights are given as they are
    returns    x plus the outputs; the states after the last step (rows, H), without gradient
    source     torch.nn.GRU
    """
    flat = [tensor for group in groups for tensor in group]
    found: tuple[Tensor, Tensor] = _ResidualGru.apply(x, start, over, quantised, *squash, bias, *flat)
    return found
