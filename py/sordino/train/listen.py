"""Listen by numbers: an engine and a split of the corpus go in, mean scores of seeded mixtures come out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from sordino.engines import Engine
from sordino.numerics import Float32
from sordino.params import HOP
from sordino.train.config import load_config
from sordino.train.evaluate import EVALUATION, attenuation_db, mean_scores, mixtures
from sordino.train.metrics import score

EXTREMES = 8
"""Mixtures of clean speech only and of noise only."""


def run_offline(engine: Engine, samples: Float32) -> Float32:
    """One recording through a fresh engine, aligned with the input; (n,) -> (n,)."""
    hops = -(-(samples.shape[0] + engine.latency) // HOP)
    padded = np.zeros(hops * HOP, np.float32)
    padded[: samples.shape[0]] = samples
    return engine.process(padded)[engine.latency : engine.latency + samples.shape[0]]


def score_engine(
    make_engine: Callable[[], Engine], cache: Path, split: str, count: int, console: Console
) -> dict[str, dict[str, float]]:
    """Score what listeners get.

    make_engine  makes a fresh stream
    cache        folder of decoded clips
    split        valid or test
    count        mixtures of 10 s at -3..20 dB
    returns      {"noisy": means, "enhanced": means}; the latter also says what clean speech and noise alone lose in dB
    """
    exclude = load_config("standard").data.exclude_noise
    before, after = [], []
    for pair in track(mixtures(cache, split, count, exclude), "mixtures", count, console=console, transient=True):
        before.append(score(pair.clean, pair.noisy))
        after.append(score(pair.clean, run_offline(make_engine(), pair.noisy)))
    result = {"noisy": mean_scores(before), "enhanced": mean_scores(after)}
    for name, case in (("clean_speech_loss_db", "only_speech"), ("noise_attenuation_db", "only_noise")):
        recipe = replace(EVALUATION, reverberant=0.0, **{case: 1.0})
        pairs = mixtures(cache, split, EXTREMES, exclude, recipe)
        lost = [attenuation_db(p.noisy[100 * HOP :], run_offline(make_engine(), p.noisy)[100 * HOP :]) for p in pairs]
        result["noisy"][name], result["enhanced"][name] = 0.0, float(np.mean(lost))
    return result
