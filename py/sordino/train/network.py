"""Torch twin of the network stage: normalised features of many sequences go in, logits of the heads come out.

Layout is (steps, batch, bands, channels). Parameter names and shapes are those of the weight files.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from sordino.chain.model import BAND_FEATURES, HEADS, NEAR_BANDS, PATCH_BANDS, SQUEEZED, WIDENED, NetworkShape
from sordino.chain.params import BANDS
from sordino.train.gru import library_recurrence, recurrence
from sordino.train.quantise import fake_activation, fake_weight
from sordino.train.residual_gru import Group, Over, available, residual_gru

States = dict[str, Tensor]
"""State of each GRU by name, (batch, size) each."""


@dataclass(frozen=True)
class Outputs:
    """Logits of the three heads, (steps, batch, BANDS), (steps, batch, BANDS) and (steps, batch)."""

    gain: Tensor
    strength: Tensor
    voice: Tensor
    states: States = field(default_factory=dict)
    """Of the GRUs after the last step, detached."""


class Dense(nn.Linear):
    """A dense layer over the last axis, with optional fake quantisation."""

    def see(self, x: Tensor, quantised: bool) -> Tensor:
        """x (..., inputs) in -1..1 -> (..., outputs)."""
        if quantised:
            return functional.linear(fake_activation(x), fake_weight(self.weight), self.bias)
        return functional.linear(x, self.weight, self.bias)


class Squash(nn.Module):
    """Brings channels to -1..1: tanh(scale x + shift)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale, self.shift = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """x (..., channels), the same shape comes out."""
        return torch.tanh(x * self.scale + self.shift)


class Gru(nn.Module):
    """One GRU layer with torch's parameter names (gate order r, z, n; reset after the product)."""

    def __init__(self, inputs: int, size: int) -> None:
        super().__init__()
        limit = size**-0.5
        self.weight_ih = nn.Parameter(torch.empty(3 * size, inputs).uniform_(-limit, limit))
        self.weight_hh = nn.Parameter(torch.empty(3 * size, size).uniform_(-limit, limit))
        self.bias_ih = nn.Parameter(torch.zeros(3 * size))
        self.bias_hh = nn.Parameter(torch.zeros(3 * size))
        with torch.no_grad():
            for gate in self.weight_hh.chunk(3):
                nn.init.orthogonal_(gate)

    def forward(self, x: Tensor, start: Tensor | None, quantised: bool) -> Tensor:
        """x (steps, batch, inputs), start (batch, size) or None for zeros -> states (steps, batch, size) float32."""
        if start is None:
            start = x.new_zeros(x.shape[1], self.weight_hh.shape[1])
        if x.is_cuda and not quantised:
            return library_recurrence(x, [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh], start)
        weight_ih = fake_weight(self.weight_ih) if quantised else self.weight_ih
        weight_hh = fake_weight(self.weight_hh) if quantised else self.weight_hh
        gates_in = functional.linear(x, weight_ih, self.bias_ih)
        return recurrence(gates_in, weight_hh, self.bias_hh, start, quantised)


def _group(gru: Gru, out: Tensor, quantised: bool) -> Group:
    if not quantised:
        return gru.weight_ih, gru.weight_hh, gru.bias_ih, gru.bias_hh, out
    return fake_weight(gru.weight_ih), fake_weight(gru.weight_hh), gru.bias_ih, gru.bias_hh, out


def _in_torch(
    x: Tensor, over: Over, squash: Squash, bias: Tensor, groups: list[Group], start: Tensor | None, quantised: bool
) -> tuple[Tensor, Tensor]:
    """What residual_gru computes."""
    steps, batch, bands, channels = x.shape
    seen = squash(x)
    seen = fake_activation(seen) if quantised else seen
    rows = seen.flatten(1, 2) if over == "time" else seen.permute(2, 0, 1, 3).flatten(1, 2)
    y, states = x + bias, x
    for direction, (weight_ih, weight_hh, bias_ih, bias_hh, out) in enumerate(groups):
        given = functional.linear(rows.flip(0) if direction else rows, weight_ih, bias_ih)
        first = given.new_zeros(rows.shape[1], weight_hh.shape[1]) if start is None else start
        states = recurrence(given, weight_hh, bias_hh, first, quantised)
        said = functional.linear(fake_activation(states) if quantised else states, out)
        said = said.flip(0) if direction else said
        y = y + (said.view(x.shape) if over == "time" else said.view(bands, steps, batch, channels).permute(1, 2, 0, 3))
    return y, states[-1].detach()


def _add(
    x: Tensor, over: Over, squash: Squash, grus: list[Gru], out: nn.Linear, start: Tensor | None, quantised: bool
) -> tuple[Tensor, Tensor]:
    """Add what a GRU over time, or two across the bands, say of x; also the last states (rows, size)."""
    weight = fake_weight(out.weight) if quantised else out.weight
    parts = weight.split(weight.shape[1] // len(grus), 1)
    groups = [_group(gru, part, quantised) for gru, part in zip(grus, parts, strict=True)]
    if available(x, grus[0].weight_hh.shape[1]):
        return residual_gru(x, over, (squash.scale, squash.shift), out.bias, groups, start, quantised)
    return _in_torch(x, over, squash, out.bias, groups, start, quantised)


class Block(nn.Module):
    """GRUs across the bands, then a GRU over time in each band."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.band_squash, self.time_squash = Squash(shape.channels), Squash(shape.channels)
        self.up, self.down = Gru(shape.channels, shape.across), Gru(shape.channels, shape.across)
        self.time = Gru(shape.channels, shape.over_time)
        self.from_bands = nn.Linear(2 * shape.across, shape.channels)
        self.from_time = nn.Linear(shape.over_time, shape.channels)

    def forward(self, x: Tensor, start: Tensor | None, quantised: bool) -> tuple[Tensor, Tensor]:
        """x (steps, batch, bands, channels), start (batch, bands * over_time) -> x, the last states as start."""
        batch = x.shape[1]
        before = None if start is None else start.reshape(batch * BANDS, -1).contiguous()
        x, _ = _add(x, "bands", self.band_squash, [self.up, self.down], self.from_bands, None, quantised)
        x, end = _add(x, "time", self.time_squash, [self.time], self.from_time, before, quantised)
        return x, end.detach().reshape(batch, -1).clone()


class Memory(nn.Module):
    """A dense GRU over time of the whole spectrum."""

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.squash = Squash(shape.channels)
        self.squeeze, self.into = Dense(shape.channels, SQUEEZED), Dense(SQUEEZED * BANDS, shape.memory)
        self.gru = Gru(shape.memory, shape.memory)
        self.out, self.widen = Dense(shape.memory, WIDENED * BANDS), Dense(WIDENED, shape.channels)

    def forward(self, x: Tensor, start: Tensor | None, quantised: bool) -> tuple[Tensor, Tensor]:
        """x (steps, batch, bands, channels), start (batch, memory) -> x, the last state."""
        y = torch.tanh(self.squeeze.see(self.squash(x), quantised)).flatten(2)
        y = torch.tanh(self.into.see(y, quantised))
        y = self.gru(fake_activation(y) if quantised else y, start, quantised)
        z = torch.tanh(self.out.see(y, quantised)).unflatten(-1, (BANDS, WIDENED))
        return x + self.widen.see(z, quantised), y[-1].detach().clone()


class Network(nn.Module):
    """The network of a shape, untrained.

    source  Valin et al. 2020, arXiv:2008.04259 (what goes in and comes out); NumPy twin: sordino.chain.network
    """

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.label = nn.Parameter(torch.randn(BANDS, shape.channels) * 0.3)
        self.patch = Dense(shape.taps * PATCH_BANDS * BAND_FEATURES, shape.channels)
        self.near = Dense(NEAR_BANDS * shape.channels, shape.channels)
        self.blocks = nn.ModuleList([Block(shape) for _ in range(shape.blocks)])
        if shape.memory:
            self.memory = Memory(shape)
        self.squash = Squash(shape.channels)
        for head in HEADS:
            setattr(self, head, Dense(shape.channels, 1))
        self.gain_bias, self.strength_bias = nn.Parameter(torch.zeros(BANDS)), nn.Parameter(torch.zeros(BANDS))

    def forward(self, features: Tensor, quantised: bool = False, start: States | None = None) -> Outputs:
        """Run whole sequences.

        features   (steps, batch, FEATURES) normalised, -1..1
        quantised  see the weights and activations that integer arithmetic sees
        start      states before the first step; zeros if not given
        returns    Outputs, float32 logits
        """
        start, states = start or {}, {}
        x = self._patch(features, quantised)
        for number, block in enumerate(self.blocks):
            x, states[f"time{number}"] = block(x, start.get(f"time{number}"), quantised)
            if self.shape.memory and number == 0:
                x, states["memory"] = self.memory(x, start.get("memory"), quantised)
        seen = self.squash(x)
        gain, strength, voice = (getattr(self, head).see(seen, quantised)[..., 0] for head in HEADS)
        return Outputs(gain + self.gain_bias, strength + self.strength_bias, voice.mean(-1), states)

    def _patch(self, features: Tensor, quantised: bool) -> Tensor:
        """First two layers, (steps, batch, FEATURES) -> (steps, batch, bands, channels)."""
        steps, taps = features.shape[0], self.shape.taps
        energy, alike, pitch = features.split([BANDS, BANDS, 2], -1)
        given = torch.stack([energy, alike, *(pitch[..., i : i + 1].expand_as(energy) for i in (0, 1))], -1)
        reach = PATCH_BANDS // 2
        padded = functional.pad(given, (0, 0, reach, reach, 0, 0, taps - 1, 0))
        near = [padded[tap : tap + steps, :, band : band + BANDS] for tap in range(taps) for band in range(PATCH_BANDS)]
        x = torch.tanh(self.patch.see(torch.cat(near, -1), quantised) + self.label)
        wide = functional.pad(x, (0, 0, 1, 1))
        wide = torch.cat([wide[:, :, band : band + BANDS] for band in range(NEAR_BANDS)], -1)
        return x + torch.tanh(self.near.see(wide, quantised))
