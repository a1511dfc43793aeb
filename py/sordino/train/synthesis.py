"""Synthesis: gains or spectra on the training device go in, sharpened gains or samples come out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sordino.chain import stft
from sordino.chain.params import (
    HOP,
    ONSET_CLOSED,
    ONSET_FADE,
    ONSET_MEMORY,
    ONSET_OPEN,
    ONSET_RISE,
    ONSET_SLOPE,
    POSTFILTER_BETA,
    POSTFILTER_FLOOR,
    POSTFILTER_MEMORY,
    POSTFILTER_SHARE,
    WINDOW,
)


def onset(voice: Tensor) -> Tensor:
    """How suddenly the voice has come, (batch, steps) -> (batch, steps, 1); twin of sordino.onset."""
    mean = lift = torch.zeros_like(voice[:, 0])
    found = []
    for now in voice.unbind(1):
        rise = now - mean
        lift = torch.maximum((ONSET_SLOPE * (rise - ONSET_RISE)).clamp_max(1), (lift - ONSET_FADE).clamp_min(0))
        mean = mean + (1 - ONSET_MEMORY) * rise
        found.append(lift)
    return torch.stack(found, 1)[..., None]


def lift_gains(gain: Tensor, lift: Tensor) -> Tensor:
    """Raise gains where a word begins, (batch, steps, BANDS), lift (batch, steps, 1); twin of sordino.onset."""
    opening = ((gain - ONSET_CLOSED) / (ONSET_OPEN - ONSET_CLOSED)).clamp(0, 1)
    return (gain * (1 + lift * opening)).clamp_max(1)


def noise_share(gain: Tensor, energy: Tensor) -> Tensor:
    """Strength that the post-filter needs, (batch, steps, BANDS) -> (batch, steps, 1); twin of sordino.postfilter."""
    new = torch.stack([(energy * (1 - gain.square())).sum(-1), energy.sum(-1)], -1) + POSTFILTER_FLOOR
    memory, found = torch.zeros_like(new[:, 0]), []
    for step in new.unbind(1):
        memory = POSTFILTER_MEMORY * memory + step
        found.append(memory[:, :1] / memory[:, 1:])
    return (POSTFILTER_SHARE * torch.stack(found, 1)).clamp_max(1)


def postfilter(gain: Tensor, energy: Tensor, strength: Tensor) -> Tensor:
    """Sharpen gains, (batch, steps, BANDS), strength (batch, steps, 1); twin of sordino.postfilter."""
    warped = gain * (1 - strength + strength * torch.sin(gain * (torch.pi / 2)))
    before = (energy * gain.square()).sum(-1, keepdim=True) + POSTFILTER_FLOOR
    after = (energy * warped.square()).sum(-1, keepdim=True) + POSTFILTER_FLOOR
    ratio = before / after
    return warped * ((1 + POSTFILTER_BETA) * ratio / (1 + POSTFILTER_BETA * ratio.square())).sqrt()


def synthesise(real: Tensor, imag: Tensor, look_ahead: int) -> Tensor:
    """Overlap-add spectra of centre frames, aligned with the input.

    real, imag  (batch, steps, BINS), step t holds frame t - look_ahead
    look_ahead  frames
    returns     (batch, (steps - look_ahead - 1) * HOP) samples, the first belongs to the first input sample
    """
    window = torch.from_numpy(stft.window()).to(real.device)
    frames = torch.fft.irfft(torch.complex(real, imag), WINDOW) * (window * HOP)
    batch, steps, _ = frames.shape
    out = functional.pad(frames[..., :HOP].reshape(batch, -1), (0, HOP))
    out[:, HOP:] += frames[..., HOP:].reshape(batch, -1)
    return out[:, HOP * (look_ahead + 1) : HOP * steps]
