"""Networks: a model goes in, the network of its family comes out, ready for a stream."""

from __future__ import annotations

from .band_network import BandNetwork
from .model import BandShape, Model
from .network import Network


def make_network(model: Model, quantised: bool = True) -> Network | BandNetwork:
    """The network of one stream; see Network and BandNetwork."""
    return BandNetwork(model, quantised) if isinstance(model.shape, BandShape) else Network(model, quantised)
