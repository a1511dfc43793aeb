"""Damage: a generator and probabilities go in, gaps and gain changes of a batch and how to apply them come out.

A gain that moves (automatic gain control) acts on voice and noise alike, so the clean target follows it; what a lost
packet or a muted microphone took away is not to be invented, so both are silent there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sordino.chain.params import SAMPLE_RATE

LOST_S = (0.01, 0.06)
"""How long a lost packet, or a few in a row, silence a signal."""
_BURSTS_PER_S = 1.0
_BURST_GAPS = (1, 1, 2, 4)  # gaps in a burst
_BETWEEN_S = (0.02, 0.12)  # from one gap of a burst to the next
_MUTED_S = (0.1, 1.0)
_SLOW_S, _SLOW_DB = (0.4, 2.0), 8.0
_SUDDEN_S, _SUDDEN_DB = (0.002, 0.03), 12.0
_MOST_STEPS = 4


@dataclass(frozen=True)
class Chances:
    """How many of the signals are damaged, each between 0 and 1."""

    lost_packets: float = 0.0
    muted: float = 0.0
    moving_gain: float = 0.0


@dataclass(frozen=True)
class Gap:
    """A stretch of a row in which nothing arrives."""

    row: int
    at: int  # first sample
    length: int


@dataclass(frozen=True)
class Step:
    """A change of the gain of one row."""

    row: int
    at: int  # first sample
    length: int  # samples that it takes
    change_db: float


@dataclass(frozen=True)
class Damage:
    """What happens to the rows of a batch."""

    gaps: tuple[Gap, ...] = ()
    steps: tuple[Step, ...] = ()


def _packets(rng: np.random.Generator, row: int, samples: int) -> list[Gap]:
    found = []
    for _ in range(1 + rng.poisson(_BURSTS_PER_S * samples / SAMPLE_RATE)):
        at = int(rng.integers(samples))
        for _ in range(rng.choice(_BURST_GAPS)):
            length = int(rng.uniform(*LOST_S) * SAMPLE_RATE)
            found.append(Gap(row, at, length))
            at += length + int(rng.uniform(*_BETWEEN_S) * SAMPLE_RATE)
    return found


def _moves(rng: np.random.Generator, row: int, samples: int) -> list[Step]:
    """Either slow or sudden changes of one row; the gain is back at 0 dB on the average of the changes."""
    (shortest, longest), largest = ((_SLOW_S, _SLOW_DB), (_SUDDEN_S, _SUDDEN_DB))[rng.integers(2)]
    found = []
    for _ in range(rng.integers(1, _MOST_STEPS + 1)):
        length = max(1, int(rng.uniform(shortest, longest) * SAMPLE_RATE))
        found.append(Step(row, int(rng.integers(samples)), length, float(rng.uniform(-largest, largest))))
    return found


def draw_damage(rng: np.random.Generator, chances: Chances, rows: int, samples: int) -> Damage:
    """Draw what happens to a batch.

    rng      source of all chance
    chances  of each kind of damage
    rows     signals in the batch
    samples  of each
    """
    gaps: list[Gap] = []
    steps: list[Step] = []
    for row in range(rows):
        if rng.random() < chances.lost_packets:
            gaps += _packets(rng, row, samples)
        if rng.random() < chances.muted:
            at = int(rng.integers(samples)) if rng.random() < 0.5 else 0  # half of them: a signal that begins silent
            gaps.append(Gap(row, at, int(rng.uniform(*_MUTED_S) * SAMPLE_RATE)))
        if rng.random() < chances.moving_gain:
            steps += _moves(rng, row, samples)
    return Damage(tuple(gaps), tuple(steps))


def move_gain(damage: Damage, *signals: Tensor) -> None:
    """Apply the gain changes in place.

    damage   of a batch
    signals  (rows, samples) each, all changed alike
    """
    if not damage.steps:
        return
    device, samples = signals[0].device, signals[0].shape[1]
    rows = sorted({step.row for step in damage.steps})
    place = torch.tensor([rows.index(step.row) for step in damage.steps], device=device)
    at, length, change = (
        torch.tensor([getattr(step, name) for step in damage.steps], device=device, dtype=torch.float32)[:, None]
        for name in ("at", "length", "change_db")
    )
    position = torch.arange(samples, device=device)
    each = ((position - at) / length).clamp_(0, 1).mul_(change)
    gain_db = torch.zeros(len(rows), samples, device=device).index_add_(0, place, each)
    gain = ((gain_db - gain_db.mean(1, keepdim=True)) * (np.log(10) / 20)).exp_()
    for signal in signals:
        signal[rows] *= gain


def cut_gaps(damage: Damage, *signals: Tensor) -> None:
    """Silence the gaps in place, in all of the signals, (rows, samples) each."""
    for gap in damage.gaps:
        for signal in signals:
            signal[gap.row, gap.at : gap.at + gap.length] = 0
