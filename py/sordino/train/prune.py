"""Prune: a network goes in, the weakest blocks of its large matrices become zero, more of them as the training goes on.

The blocks are those that the kernels leave out (8 rows x 4 columns of one matrix), the density falls with the cube of
what is left of the way (Zhu and Gupta 2017, arXiv:1710.01878).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from sordino.formats.pruning import strongest_blocks

_PRUNED = re.compile(r"conv\d\.weight|\w*gru\d?\.weight_[ih]h")
_MASKS_EVERY = 20  # steps; between them pruned blocks stay zero


def density_at(progress: float, first: float, last: float, density: float) -> float:
    """Share of the blocks that are kept at some point of a run.

    progress     part of the run that is over, 0..1
    first, last  the parts between which pruning goes on
    density      kept in the end
    returns      1 before `first`, `density` from `last` on
    """
    way = min(1.0, max(0.0, (progress - first) / max(last - first, 1e-9)))
    return density + (1 - density) * (1 - way) ** 3


def large_matrices(network: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The weights of the convolutions and the recurrent layers, by name."""
    return ((name, weight) for name, weight in network.named_parameters() if _PRUNED.fullmatch(name))


def _mask(weight: Tensor, density: float) -> Tensor:
    return torch.from_numpy(strongest_blocks(weight.detach().cpu().numpy(), density)).to(weight)


class Pruner:
    """Keeps the pruned blocks of a network, and of its average, at zero.

    network  is trained
    average  its exponential moving average
    """

    def __init__(self, network: nn.Module, average: nn.Module) -> None:
        self.network, self.average = network, average
        self.masks: dict[str, Tensor] = {}
        self.steps = 0

    @torch.no_grad()
    def apply(self, density: float) -> None:
        """To be called after each step; at density 1 nothing happens."""
        if density >= 1:
            return
        if self.steps % _MASKS_EVERY == 0:
            self.masks = {name: _mask(w, density) for name, w in large_matrices(self.network)}
        self.steps += 1
        for module in (self.network, self.average):
            for name, weight in large_matrices(module):
                weight.mul_(self.masks[name])
