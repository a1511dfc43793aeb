"""Networks: a shape goes in, the torch network of its family comes out."""

from __future__ import annotations

from sordino.chain.model import BandShape, Shape
from sordino.train.band_network import BandNetwork
from sordino.train.network import Network

AnyNetwork = Network | BandNetwork


def make_network(shape: Shape) -> AnyNetwork:
    """An untrained network of a shape, on the CPU."""
    return BandNetwork(shape) if isinstance(shape, BandShape) else Network(shape)
