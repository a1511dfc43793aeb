"""Dataset: a mixer goes in, analysed examples ready for the network and the loss come out."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TypeVar

import torch
from torch import Tensor

from sordino.chain.params import FEATURE_RANGE
from sordino.train.analysis import Analysis, analyse
from sordino.train.config import Schedule
from sordino.train.mixing import Batch, Mixer
from sordino.train.network import Outputs
from sordino.train.targets import Targets, make_targets

Joined = TypeVar("Joined", Analysis, Targets)
_CHUNK_SAMPLES = 24 * 48000  # analysed at once on a CPU, so that the work stays in the caches
_STATISTICS_SEED = 2**40


@dataclass(frozen=True)
class Example:
    """One batch, analysed: what the network sees and what the loss needs."""

    features: Tensor  # (steps, batch, FEATURES) not normalised
    analysis: Analysis
    targets: Targets


def _join(parts: list[Joined]) -> Joined:
    """Concatenate dataclasses of tensors along the batch."""
    names = [f.name for f in fields(parts[0])]
    return replace(parts[0], **{name: torch.cat([getattr(part, name) for part in parts]) for name in names})


@torch.no_grad()
def prepare(batch: Batch, look_ahead: int, bins: int) -> Example:
    """Analyse a batch.

    batch       signals
    look_ahead  frames
    bins        spectra are kept up to here
    returns     Example
    """
    rows, samples = batch.noisy.shape
    chunk = rows if batch.noisy.is_cuda else max(1, _CHUNK_SAMPLES // samples)
    analyses, targets = [], []
    for first in range(0, rows, chunk):
        part = slice(first, first + chunk)
        one = analyse(batch.noisy[part], look_ahead)
        wanted = make_targets(one, batch.clean[part], batch.bandwidth_hz[part], batch.level[part], look_ahead)
        analyses.append(replace(one, spectrum=one.spectrum[..., :bins], comb_spectrum=one.comb_spectrum[..., :bins]))
        targets.append(replace(wanted, spectrum=wanted.spectrum[..., :bins]))
    analysis = _join(analyses)
    return Example(analysis.features.transpose(0, 1).contiguous(), analysis, _join(targets))


def batch_major(outputs: Outputs) -> Outputs:
    """Turn (steps, batch, ...) into (batch, steps, ...)."""
    return Outputs(*(getattr(outputs, name).transpose(0, 1) for name in ("gain", "strength", "voice")))


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of each feature over training mixtures, (FEATURES,) each."""

    mean: Tensor
    std: Tensor

    def normalise(self, features: Tensor) -> Tensor:
        """Scale features so that FEATURE_RANGE standard deviations reach 1, clipped; twin of features.normalise."""
        return ((features - self.mean) / (FEATURE_RANGE * self.std)).clamp(-1, 1)

    def to(self, device: torch.device) -> Statistics:
        """Return a copy on a device."""
        return Statistics(self.mean.to(device), self.std.to(device))


def estimate_statistics(mixer: Mixer, look_ahead: int, seconds: float = 200.0) -> Statistics:
    """Estimate the feature statistics from mixtures with a fixed seed."""
    rows = 8
    count = max(1, round(seconds / (rows * mixer.samples / 48000)))
    found = [analyse(mixer.draw(_STATISTICS_SEED + i, rows).noisy, look_ahead).features for i in range(count)]
    flat = torch.cat(found).flatten(0, 1).double()
    return Statistics(flat.mean(0).float(), flat.std(0).float().clamp_min(1e-3))


def draw_look_ahead(seed: int, most: int, shorter: float) -> int:
    """Frames of look-ahead of one example: with the chance `shorter` any number below `most`, else `most`."""
    chance, which = torch.rand(2, generator=torch.Generator().manual_seed(seed)).tolist()
    return int(which * most) if chance < shorter else most


class Source:
    """Examples without end; each is given `echo` times, some steps apart, because mixing costs as much as learning.

    mixer       draws the signals
    rows        signals per example
    look_ahead  frames
    bins        spectra are kept up to here
    schedule    how often each example is used, how many wait for that, how many are heard with less look-ahead
    seed        first seed of the mixer
    stride      step from one seed to the next (the number of processes)
    """

    def __init__(
        self, mixer: Mixer, rows: int, look_ahead: int, bins: int, schedule: Schedule, seed: int, stride: int
    ) -> None:
        self.mixer, self.rows, self.look_ahead, self.bins = mixer, rows, look_ahead, bins
        self.echo, self.pool, self.shorter = schedule.echo, schedule.pool, schedule.shorter_look_ahead
        self.seed, self.stride = seed, stride
        self.kept: list[Example] = []
        self.turn = 0
        self.fresh_seconds = 0.0

    def _fresh(self) -> Example:
        look_ahead = draw_look_ahead(self.seed, self.look_ahead, self.shorter)
        example: Example = prepare(self.mixer.draw(self.seed, self.rows), look_ahead, self.bins)
        self.seed += self.stride
        self.fresh_seconds += self.rows * self.mixer.samples / 48000
        return example

    def draw(self) -> Example:
        """Return the next example."""
        turn, self.turn = self.turn, self.turn + 1
        if turn % self.echo == 0 or len(self.kept) < self.pool // 2:
            example = self._fresh()
            self.kept = [*self.kept[-(self.pool - 1) :], example] if self.echo > 1 else []
            return example
        return self.kept[(turn * 7 + turn // self.echo) % max(1, len(self.kept) - 1)]
