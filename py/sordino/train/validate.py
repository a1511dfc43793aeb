"""Validate: a network and fixed mixtures of the valid split go in, losses and two biases to watch come out."""

from __future__ import annotations

import torch

from sordino.train.config import Config
from sordino.train.dataset import Example, Statistics, batch_major, prepare
from sordino.train.loss import gain_bias_db, total_loss
from sordino.train.mixing import Mixer
from sordino.train.network import Network

_ROWS = 12
_EXAMPLES = 4


def make_validation(mixer: Mixer, seed: int, config: Config) -> list[Example]:
    """Draw the fixed examples; the same seed gives the same ones."""
    bins, look_ahead = config.loss.spectral_bins, config.look_ahead
    return [prepare(mixer.draw(seed + i, _ROWS), look_ahead, bins) for i in range(_EXAMPLES)]


@torch.no_grad()
def validate(
    network: Network, examples: list[Example], statistics: Statistics, config: Config, quantised: bool
) -> dict[str, float]:
    """Run the network over the examples.

    returns  by name: loss and its terms; bias_db, level of kept speech against the ideal (negative is
             over-suppression); pause_db, mean gain outside speech in dB
    """
    sums: dict[str, float] = {}
    for example in examples:
        outputs = batch_major(network(statistics.normalise(example.features), quantised))
        loss, terms = total_loss(outputs, example.analysis, example.targets, config.loss)
        gain = torch.sigmoid(outputs.gain)
        pause = (1 - example.targets.voice)[..., None] * example.targets.weight
        level = (gain.clamp_min(1e-3).log10() * pause).sum() / pause.sum().clamp_min(1e-6)
        found = {"loss": loss, **terms, "bias_db": gain_bias_db(outputs, example.targets), "pause_db": 20 * level}
        for name, value in found.items():
            sums[name] = sums.get(name, 0.0) + float(value) / len(examples)
    return sums
