"""Statistics: scores of clips go in, means with bootstrap intervals, by group, and paired differences come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .testset import NOISY_PARTS, Case
from .traits import Traits

COMPARED = ("pesq", "estoi", "si_sdr_db", "sig", "bak", "ovrl", "onsets_kept_db")
"""Scores whose paired differences are reported."""
PER_WORD = ("onsets_kept_db", "onsets_snr_db")
"""Scores with one number per word."""
RESAMPLES = 1000
INTERVAL = (2.5, 97.5)
FEWEST_CLIPS = 8
"""A bootstrap of fewer says little."""
SNR_EDGES_DB = (-5, 0, 5, 10, 15, 20)
HEARD_DB = -2.0
"""An onset that keeps more than this is heard as it was."""
CLEAR_DB = 10.0
"""A word begins clearly that stands so far above the noise in its first 50 ms."""
LOWEST_DB = -30.0
"""An onset that keeps less counts as this."""
GOOD_OVRL = 3.0
"""A recording that DNSMOS rates so before any noise is added is a good one."""
Scores = dict[int, dict[str, Any]]
"""By index of the clip."""
Ratings = dict[int, float]
"""OVRL of the clean recordings, by index of the clip."""
Voices = dict[int, Traits]
"""Of the voice of a clip, by its index."""
Summary = dict[str, dict[str, float | int]]
"""By metric: mean, low, high, clips."""


def interval(values: Iterable[float | None], seed: int = 0) -> dict[str, float | int]:
    """Mean and 95 % bootstrap interval.

    values   one per clip; None and nan are left out
    returns  mean, low, high and clips; empty if there is no value
    """
    return interval_by_clip(([] if value is None else [value] for value in values), seed)


def interval_by_clip(values: Iterable[Sequence[float] | NDArray[np.float64]], seed: int = 0) -> dict[str, float | int]:
    """Mean over the values of all clips, and 95 % bootstrap interval.

    The clips are resampled, each with all its values: those of one clip share its noise and its voice, so they say less
    than as many of different clips.

    values   some per clip; nan and clips without any are left out
    returns  mean, low, high and clips; empty if there is no value
    """
    found = [np.array([v for v in some if not np.isnan(v)], float) for some in values]
    kept = [some for some in found if len(some)]
    if not kept:
        return {}
    sums, counts = np.array([some.sum() for some in kept]), np.array([len(some) for some in kept])
    picks = np.random.default_rng(seed).integers(0, len(kept), (RESAMPLES, len(kept)))
    low, high = np.percentile(sums[picks].sum(1) / counts[picks].sum(1), INTERVAL)
    mean = float(sums.sum() / counts.sum())
    return {"mean": mean, "low": float(low), "high": float(high), "clips": len(kept)}


def summarise(scores: Scores, cases: list[Case]) -> Summary:
    """Mean and interval of every metric over some clips; onsets become a mean and shares."""
    chosen = [scores[case.index] for case in cases if case.index in scores]
    names = dict.fromkeys(name for found in chosen for name in found if name not in PER_WORD)
    summary = {name: interval(found.get(name) for found in chosen) for name in names}
    onsets = [np.array(found.get("onsets_kept_db", []), float) for found in chosen]
    if any(map(len, onsets)):
        ratios = [np.array(found.get("onsets_snr_db", []), float) for found in chosen]
        pairs = zip(onsets, ratios, strict=True)
        clear = [kept[: len(ratio)][ratio[: len(kept)] >= CLEAR_DB] for kept, ratio in pairs]
        summary["onsets_kept_db"] = interval_by_clip(np.maximum(kept, LOWEST_DB) for kept in onsets)
        summary["onsets_heard"] = interval_by_clip((kept >= HEARD_DB).astype(float) for kept in onsets)
        summary["clear_onsets_heard"] = interval_by_clip((kept >= HEARD_DB).astype(float) for kept in clear)
    return {name: value for name, value in summary.items() if value}


def snr_label(snr_db: float) -> str:
    """The range a ratio falls into, such as "0..5 dB"."""
    for low, high in pairwise(SNR_EDGES_DB):
        if snr_db < high or high == SNR_EDGES_DB[-1]:
            return f"{low}..{high} dB"
    raise AssertionError


def group(scores: Scores, cases: list[Case], label: Callable[[Case], str]) -> dict[str, Summary]:
    """Summaries of the clips that share a label."""
    labels = dict.fromkeys(label(case) for case in cases)
    return {name: summarise(scores, [case for case in cases if label(case) == name]) for name in labels}


def noisy_cases(cases: list[Case]) -> list[Case]:
    """The clips of noisy speech."""
    return [case for case in cases if case.part in NOISY_PARTS]


def of_good_recordings(cases: list[Case], ratings: Ratings) -> list[Case]:
    """The plain clips whose voice was recorded well."""
    return [case for case in cases if case.part == "plain" and ratings.get(case.index, 0.0) >= GOOD_OVRL]


def summaries(
    scores: Scores, cases: list[Case], ratings: Ratings | None = None, voices: Voices | None = None
) -> dict[str, Any]:
    """All summaries of one system.

    ratings  of the clean recordings, where they are known
    voices   traits, where they are known
    returns  "noisy": over noisy speech; "clean", "music alone"; "by_snr", "by_kind" (plain clips), "by_part",
             "by_recording" (plain clips with a rating), "by_voice" and "by_language" (clips with traits);
             "onsets": noisy speech at 5..15 dB; "onsets_by_part"
    """
    voices = voices or {}
    spoken = [case for case in noisy_cases(cases) if case.index in voices]
    noisy = noisy_cases(cases)
    middle = [case for case in noisy if 5 <= case.snr_db < 15]
    clean = [case for case in cases if case.part == "clean"]
    snr_order = sorted(noisy, key=lambda case: case.snr_db)
    rated = [case for case in noisy if case.part == "plain" and case.index in (ratings or {})]
    good = of_good_recordings(rated, ratings or {})
    return {
        "noisy": summarise(scores, noisy),
        "clean": summarise(scores, clean),
        "music alone": summarise(scores, [case for case in cases if case.part == "music alone"]),
        "by_snr": group(scores, snr_order, lambda case: snr_label(case.snr_db)),
        "by_kind": group(scores, [case for case in noisy if case.part == "plain"], lambda case: case.kind),
        "by_part": group(scores, [*noisy, *clean], lambda case: case.part),
        "by_recording": group(scores, rated, lambda case: "good recordings" if case in good else "other recordings"),
        "by_voice": group(scores, spoken, lambda case: voices[case.index].pitch),
        "by_language": group(scores, spoken, lambda case: voices[case.index].language),
        "onsets": summarise(scores, middle),
        "onsets_by_part": group(scores, middle, lambda case: case.part),
    }


def differences(one: Scores, other: Scores, cases: list[Case], metrics: Iterable[str] = COMPARED) -> Summary:
    """Mean of one minus other over the noisy clips that both have, with the interval of the paired difference."""
    both = [c.index for c in cases if c.part in NOISY_PARTS and c.index in one and c.index in other]
    found = {}
    for metric in metrics:
        pairs = [(_single(one[index], metric), _single(other[index], metric)) for index in both]
        found[metric] = interval(a - b for a, b in pairs if a is not None and b is not None)
    return {metric: value for metric, value in found.items() if value}


def sure(value: dict[str, float | int]) -> bool:
    """Whether the interval of a difference does not hold 0 and rests on enough clips."""
    return value["clips"] >= FEWEST_CLIPS and (value["low"] > 0 or value["high"] < 0)


def _single(scores: dict[str, Any], metric: str) -> float | None:
    """One number per clip; of the onsets their mean."""
    if metric == "onsets_kept_db":
        onsets = scores.get(metric)
        return float(np.maximum(onsets, LOWEST_DB).mean()) if onsets else None
    return scores.get(metric)


def suspicion(system: Summary, noisy: Summary) -> str:
    """Why a system seems not to denoise at all, or nothing.

    system, noisy  summaries over noisy speech
    """
    kept = system.get("speech_kept_db", {}).get("mean", 0.0)
    quieter = system.get("pause_reduction_db", {}).get("mean", 0.0)
    if kept < -20:
        return f"its output holds {kept:.0f} dB of the speech: silence?"
    if quieter < 1 and abs(system["si_sdr_db"]["mean"] - noisy["si_sdr_db"]["mean"]) < 0.1:
        return f"its output is the input (pauses {quieter:.1f} dB quieter)"
    return ""
