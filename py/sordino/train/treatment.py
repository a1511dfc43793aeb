"""Treatment: an analysis and a decision on the training device go in, treated spectra and samples come out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sordino.chain import stft
from sordino.chain.params import (
    BINS,
    HOP,
    MIX_FLOOR,
    MIX_GAIN_MAX,
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
    START_GAIN,
    START_HOPS,
    WINDOW,
)
from sordino.train.analysis import Analysis, inner, tables


@dataclass(frozen=True)
class Decision:
    """What is decided of every step; twin of sordino.chain.records.Decision."""

    gain: Tensor  # (batch, steps, BANDS) 0..1
    strength: Tensor  # (batch, steps, BANDS) 0..1
    voice: Tensor | None  # (batch, steps) 0..1; None: no beginning of a word is lifted


def onset(voice: Tensor) -> Tensor:
    """How suddenly the voice has come, (batch, steps) -> (batch, steps, 1); twin of sordino.chain.onset."""
    mean = lift = torch.zeros_like(voice[:, 0])
    found = []
    for now in voice.unbind(1):
        rise = now - mean
        lift = torch.maximum((ONSET_SLOPE * (rise - ONSET_RISE)).clamp_max(1), (lift - ONSET_FADE).clamp_min(0))
        mean = mean + (1 - ONSET_MEMORY) * rise
        found.append(lift)
    return torch.stack(found, 1)[..., None]


def lift_gains(gain: Tensor, lift: Tensor) -> Tensor:
    """Raise gains where a word begins, (batch, steps, BANDS), lift (batch, steps, 1); twin of sordino.chain.onset."""
    opening = ((gain - ONSET_CLOSED) / (ONSET_OPEN - ONSET_CLOSED)).clamp(0, 1)
    return (gain * (1 + lift * opening)).clamp_max(1)


def noise_share(gain: Tensor, energy: Tensor) -> Tensor:
    """Strength that the post-filter needs, (batch, steps, BANDS) -> (batch, steps, 1).

    Twin of sordino.chain.postfilter.
    """
    new = torch.stack([(energy * (1 - gain.square())).sum(-1), energy.sum(-1)], -1) + POSTFILTER_FLOOR
    memory, found = torch.zeros_like(new[:, 0]), []
    for step in new.unbind(1):
        memory = POSTFILTER_MEMORY * memory + step
        found.append(memory[:, :1] / memory[:, 1:])
    return (POSTFILTER_SHARE * torch.stack(found, 1)).clamp_max(1)


def postfilter(gain: Tensor, energy: Tensor, strength: Tensor) -> Tensor:
    """Sharpen gains, (batch, steps, BANDS), strength (batch, steps, 1); twin of sordino.chain.postfilter."""
    warped = gain * (1 - strength + strength * torch.sin(gain * (torch.pi / 2)))
    before = (energy * gain.square()).sum(-1, keepdim=True) + POSTFILTER_FLOOR
    after = (energy * warped.square()).sum(-1, keepdim=True) + POSTFILTER_FLOOR
    ratio = before / after
    return warped * ((1 + POSTFILTER_BETA) * ratio / (1 + POSTFILTER_BETA * ratio.square())).sqrt()


def enhance(gain: Tensor, strength: Tensor, analysis: Analysis, bins: int) -> tuple[Tensor, Tensor]:
    """Apply the stage gains inside the graph, on the lowest bins only.

    gain, strength  (batch, steps, BANDS) 0..1
    analysis        of the noisy signals
    bins            how many to make; a band that reaches above them is judged by its part below
    returns         (real, imaginary part), (batch, steps, bins) each
    """
    triangles = tables(gain.device).triangles[:bins]
    noisy, combed = analysis.spectrum[..., :bins], analysis.comb_spectrum[..., :bins]
    share = strength @ triangles.T
    real = torch.addcmul(noisy.real, share, combed.real - noisy.real)
    imag = torch.addcmul(noisy.imag, share, combed.imag - noisy.imag)
    before = inner(noisy, noisy) @ triangles
    after = torch.addcmul(real * real, imag, imag) @ triangles
    restore = ((before + MIX_FLOOR) / (after + MIX_FLOOR)).sqrt().clamp_max(MIX_GAIN_MAX)
    scale = (gain * restore) @ triangles.T
    return real * scale, imag * scale


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


def lifted(decision: Decision) -> Tensor:
    """The decision's gains with the beginnings of words lifted, (batch, steps, BANDS)."""
    return decision.gain if decision.voice is None else lift_gains(decision.gain, onset(decision.voice))


def hold_back(gain: Tensor, energy: Tensor) -> Tensor:
    """Raise low gains near the start, (batch, steps, BANDS); twin of sordino.chain.start."""
    sounds = (energy > 0).any(-1, keepdim=True).float()
    heard = (sounds.cumsum(1) - sounds).clamp_max(START_HOPS)
    return torch.maximum(gain, START_GAIN / START_HOPS * (START_HOPS - heard))


def treat(analysis: Analysis, decision: Decision, look_ahead: int, passes: int) -> Tensor:
    """Samples of what is decided, aligned with the input; twin of sordino.chain.pipeline.treat without a limit.

    analysis    of the noisy signals
    decision    the network's, or another
    look_ahead  frames
    passes      of the post-filter, 0 or more
    returns     as synthesise
    """
    gain = lifted(decision)
    sharpening = noise_share(gain, analysis.energy)
    for _ in range(passes):
        gain = postfilter(gain, analysis.energy, sharpening)
    gain = hold_back(gain, analysis.energy)
    return synthesise(*enhance(gain, decision.strength, analysis, BINS), look_ahead)
