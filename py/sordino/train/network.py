"""Torch twin of the network stage: normalised features of many sequences go in, logits of the heads come out.

Layout is time-major, (steps, batch, channels).  Parameter names and shapes are those of the weight files.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional

from sordino.chain.model import HEADS, NetworkShape
from sordino.chain.params import FEATURES
from sordino.train.gru import library_recurrence, recurrence
from sordino.train.quantise import fake_activation, fake_weight

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


class Affine(nn.Module):
    """A dense layer, a causal convolution over time (kernel > 1), with optional fake quantisation."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1) -> None:
        super().__init__()
        size = (outputs, inputs, kernel) if kernel > 1 else (outputs, inputs)
        limit = (inputs * kernel) ** -0.5
        self.weight = nn.Parameter(torch.empty(size).uniform_(-limit, limit))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.kernel = kernel

    def forward(self, x: Tensor, quantised: bool, dtype: torch.dtype) -> Tensor:
        """x (steps, batch, inputs) -> (steps, batch, outputs) float32."""
        weight = fake_weight(self.weight) if quantised else self.weight
        if self.kernel > 1:
            steps = x.shape[0]
            padded = functional.pad(x, (0, 0, 0, 0, self.kernel - 1, 0))
            x = torch.cat([padded[k : k + steps] for k in range(self.kernel)], -1)
            weight = weight.permute(0, 2, 1).flatten(1)
        return functional.linear(x.to(dtype), weight.to(dtype)).float() + self.bias


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

    def forward(self, x: Tensor, start: Tensor | None, quantised: bool, dtype: torch.dtype) -> Tensor:
        """x (steps, batch, inputs), start (batch, size) or None for zeros -> states (steps, batch, size) float32."""
        if start is None:
            start = x.new_zeros(x.shape[1], self.weight_hh.shape[1])
        if x.is_cuda and not quantised:
            return library_recurrence(x, [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh], start, dtype)
        weight_ih = fake_weight(self.weight_ih) if quantised else self.weight_ih
        weight_hh = fake_weight(self.weight_hh) if quantised else self.weight_hh
        gates_in = functional.linear(x.to(dtype), weight_ih.to(dtype)).float() + self.bias_ih
        return recurrence(gates_in, weight_hh, self.bias_hh, start, quantised, dtype)


class Network(nn.Module):
    """The trunk, two side GRUs and three heads of the network stage.

    source  Valin et al. 2020, arXiv:2008.04259; NumPy twin: sordino.network
    """

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.shape = shape
        self.fc = Affine(FEATURES, shape.fc)
        self.conv1 = Affine(shape.fc, shape.conv1, shape.conv1_taps)
        self.conv2 = Affine(shape.conv1, shape.conv2, shape.conv2_taps)
        for name, inputs, size in shape.grus():
            setattr(self, name, Gru(inputs, size))
        for head, outputs in HEADS.items():
            inputs = shape.strength_gru if head == "strength" else shape.summary_size()
            setattr(self, head, Affine(inputs, outputs))

    def forward(
        self,
        features: Tensor,
        quantised: bool = False,
        dtype: torch.dtype = torch.float32,
        start: States | None = None,
    ) -> Outputs:
        """Run whole sequences.

        features   (steps, batch, FEATURES) normalised, -1..1
        quantised  see the weights and activations that integer arithmetic sees
        dtype      of the matrix products
        start      states before the first step; zeros if not given
        returns    Outputs, float32 logits
        """
        start, states = start or {}, {}

        def remember(name: str, x: Tensor) -> Tensor:
            found = getattr(self, name)(x, start.get(name), quantised, dtype)
            states[name] = found[-1].detach().clone()
            return see(found)

        see = fake_activation if quantised else (lambda x: x)
        x = torch.tanh(self.fc(see(features), quantised, dtype))
        x = torch.tanh(self.conv1(see(x), quantised, dtype))
        conv = see(torch.tanh(self.conv2(see(x), quantised, dtype)))
        seen = [conv]
        for layer in range(1, self.shape.gru_layers + 1):
            seen.append(remember(f"gru{layer}", seen[-1]))
        last = seen[-1]
        strength = remember("strength_gru", torch.cat([last, conv], -1))
        seen.append(remember("gain_gru", last))
        joined = torch.cat(seen, -1)
        return Outputs(
            self.gain(joined, quantised, dtype),
            self.strength(strength, quantised, dtype),
            self.voice(joined, quantised, dtype).squeeze(-1),
            states,
        )
