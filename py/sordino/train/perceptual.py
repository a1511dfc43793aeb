"""Perceptual loss: enhanced and clean power spectra go in, an estimate of how far the quality falls comes out.

A differentiable reading of ITU-T P.862: Bark power, Zwicker loudness above the threshold of hearing, disturbance with
a dead zone for masking, and a second count of what was added.  Left out are the alignment in time and the compensation
of gain: a suppressor that lowers the voice shall pay for it.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from sordino.chain.params import BINS, SAMPLE_RATE

_BANDS = 48
_TOP_HZ = 12_000.0
_SPEECH_DB = 79.0  # sound pressure level that active clean speech is brought to
_POWER_LAW = 0.23  # Zwicker's exponent
_LOUDNESS = 0.1866  # sone per unit of the power law
_MASKED = 0.25  # part of the smaller loudness within which a difference is not heard
_ADDED_FLOOR = 50.0
_ADDED_POWER = 1.2
_ADDED_RANGE = (3.0, 12.0)
_INTERVAL = 32  # frames that are heard as one piece (320 ms)
_SHARPNESS = 6.0  # norm over the frames of a piece
_DISTURBANCE, _ADDITION = 0.1, 0.0309  # cost of both on the quality scale


def _bark(hz: Tensor) -> Tensor:
    """Traunmueller's approximation of the Bark scale."""
    return 26.81 * hz / (1960 + hz) - 0.53


@cache
def _tables(bins: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """(bins, bands) shares of bins in bands, (bands,) threshold of hearing as power, (bands,) widths in Bark."""
    hz = torch.arange(bins) * (SAMPLE_RATE / 2 / (BINS - 1))
    edge = _bark(torch.tensor([0.0, _TOP_HZ]))
    width = (edge[1] - edge[0]) / _BANDS
    position = ((_bark(hz) - edge[0]) / width - 0.5).clamp_min(0)
    share = (1 - (position[:, None] - torch.arange(_BANDS)).abs()).clamp_min(0)
    share[0] = 0
    khz = (share.T @ hz / share.sum(0).clamp_min(1e-6)).clamp_min(50) / 1000
    threshold = 3.64 * khz**-0.8 - 6.5 * torch.exp(-0.6 * (khz - 3.3) ** 2) + 1e-3 * khz**4
    heard = share.sum(0) > 0
    share, threshold = share[:, heard], threshold[heard]
    return share.to(device), (10 ** (threshold / 10)).to(device), (width * torch.ones(len(threshold))).to(device)


def loudness(power: Tensor, threshold: Tensor) -> Tensor:
    """Specific loudness of band powers, 0 below the threshold of hearing; both (..., bands)."""
    base = (threshold / 0.5) ** _POWER_LAW
    return _LOUDNESS * base * ((0.5 + 0.5 * (power / threshold).clamp_min(1)).pow(_POWER_LAW) - 1)


def _pool(frames: Tensor) -> Tensor:
    """Norm over time, (batch, steps) -> (batch,): the worst frames of each piece count most."""
    steps = frames.shape[1] // _INTERVAL * _INTERVAL
    pieces = frames[:, -steps:].unflatten(1, (-1, _INTERVAL))
    loud = (pieces.pow(_SHARPNESS).mean(-1) + 1e-12).pow(1 / _SHARPNESS)
    return (loud.square().mean(-1) + 1e-12).sqrt()


def perceptual_loss(found: Tensor, wanted: Tensor, voice: Tensor) -> Tensor:
    """Fall of the quality estimate, averaged over the signals that hold speech.

    found, wanted  (batch, steps, bins) power spectra of the enhanced and the clean signal, same scale
    voice          (batch, steps) 1 where the clean signal is active
    returns        scalar, 0 for equal spectra, about 3 for speech that can hardly be followed
    source         ITU-T P.862 (2001); Rix et al., ICASSP 2001
    """
    share, threshold, width = _tables(found.shape[-1], found.device)
    active = voice.sum(1)
    level = (wanted.sum(-1) * voice).sum(1) / active.clamp_min(1)
    scale = (10 ** (_SPEECH_DB / 10) / level.clamp_min(1e-12))[:, None, None]
    found_power, wanted_power = (found @ share) * scale, (wanted @ share) * scale
    heard, meant = loudness(found_power, threshold), loudness(wanted_power, threshold)
    apart = (heard - meant).abs() - _MASKED * torch.minimum(heard, meant)
    apart = apart.clamp_min(0)
    ratio = ((found_power + _ADDED_FLOOR) / (wanted_power + _ADDED_FLOOR)).pow(_ADDED_POWER)
    added = torch.where(ratio < _ADDED_RANGE[0], torch.zeros_like(ratio), ratio.clamp_max(_ADDED_RANGE[1]))
    frame_power = (wanted_power.sum(-1) + 1e5) / 1e7
    weight = frame_power.pow(-0.04)
    disturbed = ((apart * width).square().sum(-1) * width.sum() + 1e-12).sqrt() * weight
    addition = (apart * added * width).sum(-1) * weight
    speaks = (active > 5).float()
    each = _DISTURBANCE * _pool(disturbed.clamp_max(45)) + _ADDITION * _pool(addition.clamp_max(45))
    return (each * speaks).sum() / speaks.sum().clamp_min(1)
