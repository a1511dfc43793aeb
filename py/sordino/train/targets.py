"""Targets: an analysed noisy signal and the clean one go in, ideal gains, strengths and voice labels come out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sordino.chain import bands
from sordino.chain.params import HOP, SAMPLE_RATE, WINDOW
from sordino.train.analysis import (
    Analysis,
    band_cross,
    band_energy,
    coherence,
    comb_frames,
    delay,
    frame_spectra,
    remember,
    tables,
)

_SILENT_ENERGY = 1e-10  # a band this quiet in the mixture hardly counts
_VOICE_RANGE = 1e-3  # a frame within 30 dB of the active level is voiced


@dataclass(frozen=True)
class Targets:
    """What the network should say of every step, and how much each answer counts."""

    spectrum: Tensor  # (batch, steps, BINS) clean centre frame
    energy: Tensor  # (batch, steps, BANDS) its power
    gain: Tensor  # (batch, steps, BANDS) 0..1
    strength: Tensor  # (batch, steps, BANDS) 0..1
    voice: Tensor  # (batch, steps) 0 or 1
    weight: Tensor  # (batch, steps, BANDS) 0..1
    level: Tensor  # (batch,) power of the active clean frames, 0 without speech


def ideal_strength(noisy: Tensor, clean: Tensor, sigma2: Tensor) -> Tensor:
    """Strength that gives the mixture the coherence of the clean signal, 1 where even the comb is noisier than that.

    The paper also lowers the gain in those bands.  With the true gains that cost 0.015 PESQ, so it is left out.

    noisy    (..., BANDS) coherence of the noisy frame with its comb-filtered copy
    clean    (..., BANDS) the same of the clean frame
    sigma2   (...,) share of white noise that passes the comb
    returns  (..., BANDS) 0..1
    source   Valin et al. 2020, arXiv:2008.04259, equations 7 to 9
    """
    q_y, q_x = noisy.clamp(1e-3, 1), clean.clamp(0, 1)
    s = sigma2[..., None]
    q_p = q_y / ((1 - s) * q_y.square() + s).sqrt()
    a = q_p.square() - q_x.square()
    b = q_p * q_y * (1 - q_x.square())
    c = q_x.square() - q_y.square()
    safe = torch.where(a.abs() < 1e-4, torch.full_like(a, 1e-4), a)
    alpha = ((b.square() + a * c).clamp_min(0).sqrt() - b) / safe
    strength = (alpha / (1 + alpha)).clamp(0, 1)
    strength = torch.where(c <= 0, torch.zeros_like(a), strength)
    return torch.where(q_p < q_x, torch.ones_like(strength), strength)


def voice_label(clean: Tensor, level: Tensor) -> Tensor:
    """Return 1 where a 20 ms frame of the clean signal lies within 30 dB of its active level.

    clean    (batch, steps * HOP)
    level    (batch,) mean power of the active frames, 0 where there is no speech
    returns  (batch, steps) of the newest frames
    """
    hops = clean.unfold(-1, HOP, HOP).square().mean(-1)
    power = (hops + delay(hops, 1)) / 2
    return ((power > _VOICE_RANGE * level[:, None]) & (level[:, None] > 0)).float()


def make_targets(analysis: Analysis, clean: Tensor, bandwidth_hz: Tensor, level: Tensor, look_ahead: int) -> Targets:
    """Form every target of a batch.

    analysis      of the noisy signals
    clean         (batch, steps * HOP)
    bandwidth_hz  (batch,) clean speech holds nothing above: there, a voiced frame teaches nothing
    level         (batch,) power of the active clean frames
    look_ahead    frames
    returns       Targets
    """
    spectrum = delay(frame_spectra(clean), look_ahead)
    energy = band_energy(spectrum)
    combed, _ = comb_frames(remember(clean, look_ahead), analysis.period, look_ahead)
    comb_spectrum = torch.fft.rfft(combed * tables(clean.device).window)
    alike = coherence(energy, band_energy(comb_spectrum), band_cross(spectrum, comb_spectrum))
    strength = ideal_strength(analysis.coherence, alike, analysis.sigma2)
    gain = (energy / (analysis.energy + 1e-14)).sqrt().clamp(0, 1)
    voice = delay(voice_label(clean, level), look_ahead)
    centre_hz = torch.as_tensor(bands.centres() * (SAMPLE_RATE / WINDOW), device=clean.device)
    heard = (centre_hz < bandwidth_hz[:, None]).float()[:, None, :]
    loud = analysis.energy / (analysis.energy + _SILENT_ENERGY)
    weight = loud * (1 - voice[..., None] * (1 - heard))
    return Targets(spectrum, energy, gain, strength, voice, weight, level)
