"""Formants: voices go in, the same with a longer or a shorter vocal tract come out; pitch and timing stay."""

from __future__ import annotations

import torch
from torch import Tensor

from sordino.params import SAMPLE_RATE

_SIZE = 1024
_HOP = 512
_LIFTER = 96  # lags of the cepstrum that hold the envelope: 2 ms, shorter than the period of most voices
_KNEE_HZ, _END_HZ = 5000.0, 10000.0  # moved in full up to the first, not at all from the second on
_FLOOR = 1e-4
_MOST = 2.0  # of the natural logarithm: 17 dB


def _sources(factor: Tensor) -> Tensor:
    """From which bin each bin gets its envelope, (rows,) -> (rows, bins)."""
    hz = torch.linspace(0, SAMPLE_RATE / 2, _SIZE // 2 + 1, device=factor.device)
    stay = ((hz - _KNEE_HZ) / (_END_HZ - _KNEE_HZ)).clamp(0, 1)
    below, knee = hz / factor[:, None], _KNEE_HZ / factor[:, None]
    between = knee + stay * (_END_HZ - knee)
    source = torch.where(hz <= _KNEE_HZ, below, torch.where(hz <= _END_HZ, between, hz))
    return source * (_SIZE / SAMPLE_RATE)


def move_formants(voice: Tensor, factor: Tensor) -> Tensor:
    """Stretch the spectral envelope of each row along frequency.

    voice    (rows, samples) at 48 kHz
    factor   (rows,) above 1 moves formants up, as in a shorter vocal tract
    returns  (rows, samples)
    """
    if not voice.numel():
        return voice
    window = torch.hann_window(_SIZE, device=voice.device)
    spectrum = torch.stft(voice, _SIZE, _HOP, window=window, return_complex=True).transpose(1, 2)
    level = spectrum.abs()
    log = level.clamp_min(_FLOOR * level.amax((1, 2), keepdim=True).clamp_min(1e-9)).log()
    cepstrum = torch.fft.irfft(log)
    cepstrum[..., _LIFTER : _SIZE - _LIFTER + 1] = 0
    envelope = torch.fft.rfft(cepstrum).real
    source = _sources(factor)
    first = source.long().clamp_max(_SIZE // 2 - 1)
    part = (source - first)[:, None]
    index = first[:, None].expand_as(envelope)
    moved = torch.lerp(envelope.gather(2, index), envelope.gather(2, index + 1), part.expand_as(envelope))
    spectrum = spectrum * (moved - envelope).clamp(-_MOST, _MOST).exp()
    return torch.istft(spectrum.transpose(1, 2), _SIZE, _HOP, window=window, length=voice.shape[1])
