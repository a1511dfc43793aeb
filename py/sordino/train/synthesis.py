"""Synthesis: gains or spectra on the training device go in, sharpened gains or samples come out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from sordino import stft
from sordino.params import HOP, POSTFILTER_BETA, POSTFILTER_FLOOR, WINDOW


def postfilter(gain: Tensor, energy: Tensor) -> Tensor:
    """Sharpen gains, (..., BANDS); twin of sordino.postfilter."""
    warped = gain * torch.sin(gain * (torch.pi / 2))
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
