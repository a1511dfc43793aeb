"""Evaluate: a denoiser and a split of the corpus go in, mean scores before and after on seeded mixtures come out.

`python -m sordino.train.evaluate CHECKPOINT --cache data/cache --split valid --count 40`
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sordino.params import HOP
from sordino.train.bank import make_bank
from sordino.train.corpus import KINDS, load_store
from sordino.train.engine import Denoiser, checkpoint_denoiser
from sordino.train.metrics import score
from sordino.train.mixing import Mixer
from sordino.train.plan import Recipe

_SECONDS = 10
_SEED = 2**42
_ROWS = 8

EVALUATION = Recipe(
    frames=_SECONDS * 100,
    snr_mean_db=8.0,
    snr_spread_db=6.0,
    snr_range_db=(-3.0, 20.0),
    level_range_db=(-35.0, -20.0),
    only_noise=0.0,
    only_speech=0.0,
    overdriven=0.0,
    low_pass=0.0,
    reverberant=0.2,
    speech_curve_db=0.5,
    noise_curve_db=1.0,
)


@dataclass(frozen=True)
class Pair:
    """One mixture and what should come out of it, (n,) float32 at 48 kHz each."""

    noisy: NDArray[np.float32]
    clean: NDArray[np.float32]


def mixtures(
    cache: Path, split: str, count: int, exclude: tuple[str, ...], recipe: Recipe = EVALUATION
) -> Iterator[Pair]:
    """Make seeded mixtures of one split, the same ones every time.

    cache    folder of decoded clips
    split    valid to choose, test to report
    count    how many
    exclude  patterns of noise clips that hold voices
    recipe   how they are mixed
    """
    stores = {kind: load_store(cache, kind, split) for kind in KINDS}
    bank = make_bank(stores, (), exclude, -1e9, torch.device("cpu"))
    mixer = Mixer(bank, recipe)
    for first in range(0, count, _ROWS):
        batch = mixer.draw(_SEED + first, _ROWS)
        for row in range(min(_ROWS, count - first)):
            yield Pair(batch.noisy[row].numpy(), batch.clean[row].numpy())


def evaluate(denoise: Denoiser, pairs: list[Pair], with_dnsmos: bool = True) -> dict[str, dict[str, float]]:
    """Score mixtures before and after denoising.

    denoise      (n,) float32 -> (n,) float32, aligned
    pairs        mixtures
    with_dnsmos  also the slow metric
    returns      {"noisy": mean scores, "enhanced": mean scores}
    raises       ValueError if the denoiser gives another length than it got
    """
    found: dict[str, list[dict[str, float]]] = {"noisy": [], "enhanced": []}
    for pair in pairs:
        enhanced = denoise(pair.noisy)
        if enhanced.shape != pair.noisy.shape:
            raise ValueError(f"denoiser gave {enhanced.shape}, wanted {pair.noisy.shape}")
        found["noisy"].append(score(pair.clean, pair.noisy, with_dnsmos))
        found["enhanced"].append(score(pair.clean, enhanced, with_dnsmos))
    return {side: mean_scores(scores) for side, scores in found.items()}


def mean_scores(scores: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each metric over the files that have it."""
    return {name: float(np.nanmean([s[name] for s in scores])) for name in scores[0]}


def attenuation_db(before: NDArray[np.float32], after: NDArray[np.float32]) -> float:
    """Level lost by a signal, positive dB: for clean speech want 0, for noise alone want much."""
    return float(10 * np.log10((np.mean(before**2) + 1e-12) / (np.mean(after**2) + 1e-12)))


def extremes(denoise: Denoiser, cache: Path, split: str, count: int, exclude: tuple[str, ...]) -> dict[str, float]:
    """Return what denoising takes from clean speech and from noise alone, mean dB."""
    result = {}
    for name, change in (("clean_speech_loss_db", {"only_speech": 1.0}), ("noise_attenuation_db", {"only_noise": 1.0})):
        recipe = replace(EVALUATION, reverberant=0.0, **change)
        pairs = mixtures(cache, split, count, exclude, recipe)
        skip = slice(100 * HOP, None)
        result[name] = float(np.mean([attenuation_db(p.noisy[skip], denoise(p.noisy)[skip]) for p in pairs]))
    return result


def main() -> None:
    """Read the command line, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("data/cache"))
    parser.add_argument("--split", default="valid")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--float", dest="floating", action="store_true", help="not quantised")
    parser.add_argument("--no-post-filter", dest="post_filter", action="store_false")
    parser.add_argument("--no-dnsmos", dest="with_dnsmos", action="store_false")
    a = parser.parse_args()
    from sordino.train.checkpoint import load_checkpoint

    exclude = tuple(load_checkpoint(a.checkpoint)["config"]["data"]["exclude_noise"])
    denoise = checkpoint_denoiser(a.checkpoint, not a.floating, a.post_filter)
    pairs = list(mixtures(a.cache, a.split, a.count, exclude))
    result: dict = evaluate(denoise, pairs, a.with_dnsmos)
    result |= extremes(denoise, a.cache, a.split, 8, exclude)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
