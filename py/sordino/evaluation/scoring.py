"""Scoring: one clip of the test set and what a system made of it go in, all scores come out."""

from __future__ import annotations

import math
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from sordino.evaluation.metrics import METRIC_RATE, dnsmos, estoi, pesq_wb, si_sdr_db, to_metric_rate

from . import measures
from .testset import Case, read_case

_DNSMOS_SAMPLES = 144161  # one window of the model and its sample of slack
Signal = NDArray[np.float32]


def stoi(clean: Signal, found: Signal) -> float:
    """Short-time objective intelligibility, about 0 to 1.  Both at 16 kHz."""
    import pystoi

    return float(pystoi.stoi(clean, found, METRIC_RATE, extended=False))


def dnsmos_of_clip(found: Signal) -> dict[str, float]:
    """DNSMOS of a clip; one that is shorter than the model's window is repeated to fill exactly one.  At 16 kHz."""
    if len(found) < _DNSMOS_SAMPLES:
        found = np.tile(found, -(-_DNSMOS_SAMPLES // len(found)))[:_DNSMOS_SAMPLES]
    return dnsmos(found)


@cache
def _visqol() -> Any:
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="speech")
    return api


def visqol(clean: Signal, found: Signal, packages: Path) -> float:
    """ViSQOL in its speech mode, about 1 to 5.  Both at 16 kHz; takes seconds.

    packages  folder that holds visqol-python
    """
    if str(packages) not in sys.path:
        sys.path.append(str(packages))
    return float(_visqol().measure_from_arrays(clean.astype(float), found.astype(float), METRIC_RATE).moslqo)


def score_pair(case: Case, noisy: Signal, clean: Signal, found: Signal) -> dict[str, Any]:
    """All scores of one clip; which of them there are depends on its part.

    noisy, clean, found  (n,) float32 at 48 kHz, aligned
    returns              numbers, and under "onsets_kept_db" and "onsets_snr_db" one number per word
    """
    if case.part == "music alone":
        return {
            "music_change_db": measures.level_change_db(noisy, found),
            "music_lsd_db": measures.log_spectral_distance_db(noisy, found, case.bandwidth_hz),
        }
    reference, judged = to_metric_rate(clean), to_metric_rate(found)
    scores: dict[str, Any] = {
        "pesq": pesq_wb(reference, judged),
        "stoi": stoi(reference, judged),
        "estoi": estoi(reference, judged),
        "si_sdr_db": min(si_sdr_db(clean, found), 100.0),
        **dnsmos_of_clip(judged),
        "lsd_db": measures.log_spectral_distance_db(clean, found, case.bandwidth_hz),
        "speech_kept_db": measures.speech_kept_db(clean, found),
        "fricatives_kept_db": measures.fricatives_kept_db(clean, found, case.bandwidth_hz),
        "onsets_kept_db": measures.onsets_kept_db(clean, found),
        "onsets_snr_db": measures.onset_snrs_db(clean, noisy),
    }
    if case.part == "clean":
        scores["level_change_db"] = measures.level_change_db(clean, found)
    else:
        scores["pause_reduction_db"] = measures.pause_reduction_db(clean, noisy, found)
        scores["residual_db"] = measures.residual_db(clean, found)
    return scores


def score_clip(task: tuple[int, str, str, str]) -> tuple[int, dict[str, Any]]:
    """Score one clip of a set from its files.

    task     index, folder of the set, the output's file, folder of visqol-python or "" to leave ViSQOL out
    returns  index and scores; nan becomes None
    """
    index, folder, output, packages = task
    case = read_case(Path(folder, "case", f"{index:04d}.json"))
    names = (Path(folder, "noisy", f"{index:04d}.flac"), Path(folder, "clean", f"{index:04d}.flac"), Path(output))
    noisy, clean, found = (soundfile.read(path, dtype="float32")[0] for path in names)
    if packages:
        return index, {"visqol": visqol(to_metric_rate(clean), to_metric_rate(found), Path(packages))}
    scores = score_pair(case, noisy, clean, found)
    return index, {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in scores.items()}
