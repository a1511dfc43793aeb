"""Networks: a model goes in, the network of its family or its quantised matrices come out."""

from __future__ import annotations

from . import band_network, network
from .band_network import BandNetwork
from .model import BandShape, Model
from .network import Network, QuantisedMatrix, quantise_matrix


def make_network(model: Model, quantised: bool = True) -> Network | BandNetwork:
    """The network of one stream; see Network and BandNetwork."""
    return BandNetwork(model, quantised) if isinstance(model.shape, BandShape) else Network(model, quantised)


def quantise(model: Model) -> dict[str, QuantisedMatrix]:
    """All matrices of a model in 8 bits, in the order of the weight file."""
    family = band_network if isinstance(model.shape, BandShape) else network
    return {name: quantise_matrix(*pair) for name, pair in family.matrices(model).items()}
