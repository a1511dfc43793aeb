"""Metrics: a reference and a degraded recording go in, quality scores come out (needs pesq, pystoi, speechmos)."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE
from sordino.train.dnsmos import dnsmos_path

METRIC_RATE = 16000
Signal = NDArray[np.float32]
_DNSMOS_WINDOW = int(9.01 * METRIC_RATE)
_SILENT = 1e-9  # amplitude below which PESQ has nothing to judge
_DNSMOS_CALIBRATION = {
    "sig": (-0.08397278, 1.22083953, 0.0052439),
    "bak": (-0.13166888, 1.60915514, -0.39604546),
    "ovrl": (-0.06766283, 1.11546468, 0.04602535),
}
"""Polynomials from the model's three outputs to scores, highest power first."""


def to_metric_rate(samples: Signal) -> Signal:
    """Resample from 48 kHz to the 16 kHz of the metrics."""
    import soxr

    return np.asarray(soxr.resample(np.asarray(samples, np.float32), SAMPLE_RATE, METRIC_RATE), np.float32)


def pesq_wb(clean: Signal, found: Signal) -> float:
    """Wide-band PESQ (ITU-T P.862.2), about 1 to 4.64; nan where it finds no speech.  Both at 16 kHz."""
    import pesq

    if np.abs(found).max(initial=0) < _SILENT:
        return float("nan")
    try:
        return float(pesq.pesq(METRIC_RATE, clean, found, "wb"))
    except (pesq.NoUtterancesError, pesq.BufferTooShortError):
        return float("nan")


def estoi(clean: Signal, found: Signal) -> float:
    """Extended short-time objective intelligibility, about 0 to 1.  Both at 16 kHz."""
    from pystoi import stoi

    return float(stoi(clean, found, METRIC_RATE, extended=True))


def si_sdr_db(clean: Signal, found: Signal) -> float:
    """Scale-invariant signal to distortion ratio in dB; both of the same length and rate."""
    clean = clean.astype(np.float64) - clean.mean()
    found = found.astype(np.float64) - found.mean()
    target = clean * (found @ clean / (clean @ clean + 1e-12))
    return float(10 * np.log10((target @ target + 1e-12) / (np.sum((found - target) ** 2) + 1e-12)))


@cache
def _dnsmos_session() -> Any:
    """The P.835 model that the speechmos package ships, run on one thread."""
    import onnxruntime

    path = dnsmos_path("sig_bak_ovr.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def dnsmos(found: Signal) -> dict[str, float]:
    """DNSMOS P.835 without reference: sig, bak, ovrl, about 1 to 5; mean over windows of 9.01 s, one per second.

    found   (n,) float32 at 16 kHz; repeated when shorter than a window
    source  Reddy et al. 2022, arXiv:2110.01763; the model and its calibration are those of the speechmos package,
            which is not imported because it needs librosa for the older P.808 score
    """
    audio = np.clip(np.asarray(found, np.float32), -1, 1)
    while len(audio) < _DNSMOS_WINDOW:
        audio = np.concatenate([audio, audio])
    session = _dnsmos_session()
    starts = range(0, len(audio) - _DNSMOS_WINDOW + 1, METRIC_RATE)
    raw = [session.run(None, {"input_1": audio[None, s : s + _DNSMOS_WINDOW]})[0][0] for s in starts]
    names = _DNSMOS_CALIBRATION
    return {name: float(np.mean([np.polyval(names[name], r[i]) for r in raw])) for i, name in enumerate(names)}
