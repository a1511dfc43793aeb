"""Filters of the mixer: random curves and impulse responses go in, gains per frequency of a long transform come out."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sordino.chain.params import SAMPLE_RATE
from sordino.train.bank import Bank
from sordino.train.plan import CURVE_POINTS, Plan

_LOWEST_HZ = 60.0
_EARLY_S = 0.02  # the target keeps the reflections up to here as they are
_TARGET_DECAY_S = 0.2  # and lets later ones fall at least so fast (60 dB)
_LATE_ONSET_S = 0.002


class Curves:
    """Equalisers and cuts for a transform of `size` samples."""

    def __init__(self, size: int, device: torch.device) -> None:
        hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
        place = np.log(np.maximum(hz, _LOWEST_HZ) / _LOWEST_HZ) / np.log(SAMPLE_RATE / 2 / _LOWEST_HZ)
        points = np.arange(CURVE_POINTS)
        weight = np.stack([np.interp(place * (CURVE_POINTS - 1), points, row) for row in np.eye(CURVE_POINTS)])
        self.hz = torch.from_numpy(hz.astype(np.float32)).to(device)
        self.weight = torch.from_numpy(weight.astype(np.float32)).to(device)

    def smooth(self, gains_db: Tensor) -> Tensor:
        """Interpolate (rows, CURVE_POINTS) gains in dB to amplitude gains (rows, size / 2 + 1)."""
        return ((gains_db * (np.log(10) / 20)) @ self.weight).exp_()

    def cut(self, low_pass_hz: Tensor, high_pass_hz: Tensor) -> Tensor:
        """Low-pass (steep) and high-pass (second order) amplitude gains, (rows,) each -> (rows, size / 2 + 1)."""
        low = ((low_pass_hz[:, None] - self.hz) / (0.04 * low_pass_hz[:, None]) + 1).clamp_(1e-4, 1)
        square = self.hz.square()
        return low * (square / (square + high_pass_hz[:, None].square() + 1e-3))


def _simulated(plan: Plan, length: int, device: torch.device) -> Tensor:
    """Exponentially decaying noise after a direct impulse; (rooms, length)."""
    rooms = len(plan.decay_s)
    generator = torch.Generator(device).manual_seed(plan.seed + 1)
    time = torch.arange(length, device=device) / SAMPLE_RATE
    decay = torch.tensor(plan.decay_s, device=device)[:, None]
    noise = torch.randn(rooms, length, generator=generator, device=device)
    dense = torch.rand(rooms, length, generator=generator, device=device) < 0.02 + time / 0.05
    late = noise * dense * torch.exp(-6.91 * time / decay) * (time > _LATE_ONSET_S)
    late /= late.square().sum(-1, keepdim=True).sqrt().clamp_min(1e-6)
    late[:, 0] = torch.tensor(plan.direct_gain, device=device)
    return late


def impulse_responses(plan: Plan, bank: Bank, length: int) -> tuple[Tensor, Tensor]:
    """Make the impulse responses of a plan's reverberant rows.

    plan     says which rooms
    bank     recorded and simulated responses
    length   samples
    returns  (full, target), (rooms, length) each: the target keeps the early reflections
    """
    device = bank.samples.device
    responses = [*bank.responses, *bank.rooms]
    full = _simulated(plan, length, device)
    for room, recorded in enumerate(plan.recorded):
        if recorded >= 0:
            found = responses[recorded][:length]
            full[room] = 0
            full[room, : len(found)] = found
    full = full / full.square().sum(-1, keepdim=True).sqrt()
    late = (torch.arange(length, device=device) / SAMPLE_RATE - _EARLY_S).clamp_min(0)
    return full, full * torch.exp(-6.91 * late / _TARGET_DECAY_S)
