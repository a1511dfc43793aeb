"""Unseen: models and a corpus go in, what voices and noises that they never heard cost them comes out.

`sordino develop unseen MODEL.onnx ...` mixes voices of `train` and of `valid` with noises of either, and judges
every model on all four. Where `valid` voices cost a large network more than a small one, training wants more voices;
likewise noises. Where what the large one is better by stays the same, it wants more weights or more hours.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from sordino.train.checkpoint import read_model
from sordino.train.config import Config, from_record
from sordino.train.dataset import Statistics, prepare
from sordino.train.mixing import Mixer
from sordino.train.network import Network
from sordino.train.train import load_bank
from sordino.train.validate import validate

SPLITS = ("train", "valid")
TERMS = ("loss", "gain", "spectral", "perceptual", "level", "listener")
_FRAMES, _ROWS = 400, 12
_SEED = 2**42


@dataclass(frozen=True)
class Judged:
    """A network that is judged, and how its features are normalised."""

    name: str
    network: Network
    statistics: Statistics

    @staticmethod
    def read(path: Path) -> Judged:
        """Read a model or a checkpoint. raises as read_model does"""
        model = read_model(path)
        network = Network(model.shape)
        network.load_state_dict({name: torch.from_numpy(weight) for name, weight in model.weights.items()})
        spread = Statistics(torch.from_numpy(model.feature_mean), torch.from_numpy(model.feature_std))
        return Judged(str(path), network, spread)


def config_of(model: Path) -> Config:
    """The config that a model was trained with. raises ValueError where its record has none, and as read_model does"""
    record = read_model(model).record
    if "config" not in record:
        raise ValueError(f"{model}: its record has no 'config'")
    return from_record(record["config"])


def losses(judged: Sequence[Judged], mixer: Mixer, config: Config, batches: int) -> list[list[dict[str, float]]]:
    """The loss and its terms on the same mixtures: per network, per batch."""
    found: list[list[dict[str, float]]] = [[] for _ in judged]
    for batch in range(batches):
        example = prepare(mixer.draw(_SEED + batch, _ROWS), config.look_ahead, config.loss.spectral_bins)
        for one, into in zip(judged, found, strict=True):
            into.append(validate(one.network, [example], one.statistics, config, quantised=False))
    return found


def compare(models: Sequence[Path], cache: Path, config: Config, batches: int) -> str:
    """Judge models on voices and noises that they have heard and on ones that they have not.

    models   .onnx or .pt
    cache    decoded corpus, as training makes it
    config   of the mixtures and of the loss
    batches  of 12 signals of 4 s for each of the four pairs of splits
    returns  Markdown table of means, with the standard error of the loss
    raises   CorpusError, ValueError, ModelError, FileNotFoundError
    """
    if batches < 1:
        raise ValueError(f"{batches} batches, wanted at least 1")
    judged = [Judged.read(path) for path in models]
    lines = ["| model | voices | noises | " + " | ".join(TERMS) + " |", "|---|---|---|" + "--:|" * len(TERMS)]
    mixing = replace(config.mixing, frames=_FRAMES, only_noise=0.0)
    for voices in SPLITS:
        for noises in SPLITS:
            print(f"voices of {voices}, noises of {noises}: {batches} batches", file=sys.stderr, flush=True)
            mixer = Mixer(load_bank(cache, voices, config, torch.device("cpu"), noises), mixing)
            for one, found in zip(judged, losses(judged, mixer, config, batches), strict=True):
                columns = {term: [terms[term] for terms in found] for term in TERMS}
                means = [f"{statistics.fmean(column):.3f}" for column in columns.values()]
                if batches > 1:
                    means[0] += f" ± {statistics.stdev(columns['loss']) / batches**0.5:.3f}"
                lines.append(f"| {one.name} | {voices} | {noises} | " + " | ".join(means) + " |")
    return "\n".join([*lines[:2], *sorted(lines[2:], key=lambda line: line.split("|")[1])])
