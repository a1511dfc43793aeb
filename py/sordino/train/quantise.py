"""Fake quantisation: float tensors go in, the values that integer arithmetic would see come out.

The gradient passes straight through, so a network can learn around the rounding (quantisation-aware training).
"""

from __future__ import annotations

import torch
from torch import Tensor

from sordino.chain.params import ACTIVATION_OFFSET, ACTIVATION_SCALE, WEIGHT_MAX

_LOWEST = 1.0
_HIGHEST = 127.5


def quantise_activation(x: Tensor) -> Tensor:
    """Round to the 7-bit activation format: q = trunc(clip(63 x + 64.5, 1, 127.5)), value (q - 64) / 63.

    x        any shape, meant for -1..1
    returns  the same shape; no gradient, see fake_activation
    """
    q = (x * ACTIVATION_SCALE + (ACTIVATION_OFFSET + 0.5)).clamp_(_LOWEST, _HIGHEST).trunc_()
    return q.sub_(ACTIVATION_OFFSET).div_(ACTIVATION_SCALE)


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, x: Tensor) -> Tensor:
        return quantise_activation(x)

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, grad: Tensor) -> Tensor:
        return grad


def fake_activation(x: Tensor) -> Tensor:
    """quantise_activation with a straight-through gradient."""
    return _StraightThrough.apply(x)


def fake_weight(weight: Tensor) -> Tensor:
    """Round each output row to WEIGHT_MAX steps of its largest magnitude, straight-through gradient.

    weight   (rows, columns) float32
    returns  the same shape
    """
    exact = weight.detach()
    scale = exact.abs().amax(1, keepdim=True).clamp_min(1e-8) / WEIGHT_MAX
    rounded = (exact / scale).round_().mul_(scale)
    return weight + (rounded - exact)
