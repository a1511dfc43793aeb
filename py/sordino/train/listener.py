"""Listener loss: enhanced spectra go in, an estimate of what listeners would rate them comes out, differentiable.

The estimate is DNSMOS P.808, a network that was trained on ratings of ITU-T P.808 listening tests.  It is another
network than DNSMOS P.835, whose SIG, BAK and OVRL the evaluation reports, and is not used to judge anything here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sordino.chain import stft
from sordino.chain.params import HOP, SAMPLE_RATE, WINDOW
from sordino.train.dnsmos import dnsmos_path

_RATE = 16_000  # Hz, of the estimator
_STEP = _RATE * HOP // SAMPLE_RATE
_FRAME = _RATE * WINDOW // SAMPLE_RATE
_FFT = 321  # samples, of the estimator
_MELS = 120
_QUIETEST = 1e-8  # power, relative to the loudest mel band of the signal: all that is weaker sounds the same
_SILENCE = 1e-20
_SPEECH_FRAMES = 50  # a signal with fewer is not judged

LISTENER_BINS = _FRAME // 2 + 1
"""Bins of our spectra that the estimator hears: 0 to 8 kHz."""


def _mel_of(hz: np.ndarray | float) -> np.ndarray:
    """Slaney's mel scale: linear up to 1 kHz, logarithmic above."""
    hz = np.asarray(hz, np.float64)
    return np.where(hz < 1000, hz * 3 / 200, 15 + 27 * np.log(np.maximum(hz, 1e-9) / 1000) / np.log(6.4))


def mel_shares() -> np.ndarray:
    """Triangles of equal area on the mel scale; (_FFT // 2 + 1, _MELS)."""
    edges = np.linspace(0, _mel_of(_RATE / 2), _MELS + 2)
    hz = np.where(edges < 15, edges * 200 / 3, 1000 * np.exp((edges - 15) * np.log(6.4) / 27))
    bins = np.arange(_FFT // 2 + 1)[:, None] * (_RATE / _FFT)
    rising, falling = (bins - hz[:-2]) / (hz[1:-1] - hz[:-2]), (hz[2:] - bins) / (hz[2:] - hz[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) * 2 / (hz[2:] - hz[:-2]))


def weights_path() -> Path:
    """Where the estimator lies; raises EngineError without the package speechmos."""
    return dnsmos_path("model_v8.onnx")


@cache
def _estimator(device: torch.device) -> dict[str, Tensor]:
    """The estimator's weights and this module's constants."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(weights_path())).graph
    stored = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    layers = [node for node in graph.node if node.op_type in ("Conv", "MatMul", "Add")]
    arrays = [stored[name] for node in layers for name in node.input if name in stored]
    ranks = [array.ndim for array in arrays]
    if ranks != [4, 1] * 5 + [2, 1] * 3:
        raise ValueError(f"{weights_path()}: got arrays of ranks {ranks}, wanted five convolutions and three layers")
    tables = {f"{i}": torch.tensor(array) for i, array in enumerate(arrays)}
    tables |= {
        "mel": torch.tensor(mel_shares(), dtype=torch.float32),
        "hann": torch.hann_window(_FFT),
        "window": _STEP * torch.tensor(stft.window()[:: SAMPLE_RATE // _RATE].copy()),
    }
    return {name: table.to(device) for name, table in tables.items()}


def waveform(real: Tensor, imag: Tensor) -> Tensor:
    """Overlap-add the lowest bins of our spectra to a signal at 16 kHz.

    real, imag  (batch, steps, LISTENER_BINS)
    returns     (batch, steps * 160), as the chain's output but for the scale and what lies above 8 kHz
    """
    frames = torch.fft.irfft(torch.complex(real, imag), _FRAME) * _estimator(real.device)["window"]
    first, second = frames[..., :_STEP], frames[..., _STEP:]
    return (first + functional.pad(second, (0, 0, 1, 0))[:, :-1]).flatten(1)


def rating(signal: Tensor) -> Tensor:
    """DNSMOS P.808 of each signal, about 1 to 5.

    signal   (batch, samples) at 16 kHz, any level; the estimator was trained on 9 s
    returns  (batch,)
    source   Reddy et al. 2021, arXiv:2010.15258; weights of the speechmos package
    """
    tables = _estimator(signal.device)
    spectra = torch.stft(
        signal, _FFT, _STEP, window=tables["hann"], center=True, pad_mode="constant", return_complex=True
    )
    power = torch.addcmul(spectra.real * spectra.real, spectra.imag, spectra.imag).transpose(1, 2) @ tables["mel"]
    power = power / power.amax((1, 2), keepdim=True).clamp_min(_SILENCE)
    image = ((10 * power.clamp_min(_QUIETEST).log10() + 40) / 40)[:, None]
    for layer, pooled in enumerate((True, True, False, True, False)):
        image = functional.conv2d(image, tables[f"{2 * layer}"], tables[f"{2 * layer + 1}"], padding=1)
        image = (functional.max_pool2d(image, 2) if pooled else image).relu()  # a maximum passes the rectifier
    values = image.amax((2, 3))
    for layer in (5, 6, 7):
        values = values @ tables[f"{2 * layer}"] + tables[f"{2 * layer + 1}"]
        values = values.relu() if layer < 7 else values
    return values[:, 0]


def listener_loss(real: Tensor, imag: Tensor, voice: Tensor) -> Tensor:
    """How far the estimated rating lies below 5, averaged over the signals that hold speech.

    real, imag  (batch, steps, bins) enhanced spectra, any level; above LISTENER_BINS nothing is heard
    voice       (batch, steps) 1 where the clean signal is active
    returns     scalar
    """
    speaks = voice.sum(1) >= _SPEECH_FRAMES
    if not speaks.any():
        return real.new_zeros(())
    bins = slice(LISTENER_BINS)
    return (5 - rating(waveform(real[speaks][..., bins], imag[speaks][..., bins]))).mean()
