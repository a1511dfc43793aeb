"""GRU layer for training: time-major input gates and recurrent weights go in, states of every step come out.

torch's own GRU builds a graph node for each small operation of each step.  Here forward and backward are
written out: everything that does not depend on the previous step is done for all steps at once, so that a
step costs one matrix product and a few element-wise operations, forward and backward.
"""

from __future__ import annotations

import torch
from torch import Tensor

from sordino.train.quantise import quantise_activation


def _forward_steps(
    gates_in: Tensor, weight: Tensor, bias: Tensor, start: Tensor, quantised: bool
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Run the recurrence; return states, their (quantised) previous values, r|z, n and the recurrent part of n."""
    steps, batch, width = gates_in.shape
    size = width // 3
    turned = weight.t()
    state = start
    states = gates_in.new_empty(steps, batch, size)
    previous = gates_in.new_empty(steps, batch, size)
    gates = gates_in.new_empty(steps, batch, 2 * size)
    news = gates_in.new_empty(steps, batch, size)
    recurrent = gates_in.new_empty(steps, batch, size)
    for t in range(steps):
        seen = quantise_activation(state) if quantised else state
        previous[t] = seen
        product = seen @ turned + bias
        given = gates_in[t]
        rz = torch.add(given[:, : 2 * size], product[:, : 2 * size], out=gates[t]).sigmoid_()
        recurrent[t] = product[:, 2 * size :]
        new = torch.addcmul(given[:, 2 * size :], rz[:, :size], recurrent[t], out=news[t]).tanh_()
        state = torch.lerp(new, state, rz[:, size:], out=states[t])
    return states, previous, gates, news, recurrent


class _Recurrence(torch.autograd.Function):
    """h_t = z h_{t-1} + (1 - z) n with torch's gate order r, z, n and the reset applied after the product."""

    @staticmethod
    def forward(
        context: torch.autograd.function.FunctionCtx,
        gates_in: Tensor,
        weight: Tensor,
        bias: Tensor,
        start: Tensor,
        quantised: bool,
    ) -> Tensor:
        states, previous, gates, news, recurrent = _forward_steps(gates_in, weight, bias, start, quantised)
        context.save_for_backward(weight, start, states, previous, gates, news, recurrent)
        return states

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        weight, start, states, previous, gates, news, recurrent = context.saved_tensors
        steps, batch, size = states.shape
        r, z = gates[..., :size], gates[..., size:]
        before = torch.cat([start[None], states[:-1]])
        factor = states.new_empty(steps, batch, 3, size)  # d(gate inputs) = factor * d(state)
        to_new = (1 - z) * (1 - news * news)
        factor[:, :, 0] = to_new * recurrent * r * (1 - r)
        factor[:, :, 1] = (before - news) * z * (1 - z)
        factor[:, :, 2] = to_new * r
        back = states.new_empty(steps, batch, 3 * size)
        into_state = states.new_empty(steps, batch, size)
        carry = torch.zeros_like(grad[0])
        for t in range(steps - 1, -1, -1):
            flow = torch.add(grad[t], carry, out=into_state[t])
            torch.mul(factor[t], flow.unsqueeze(1), out=back[t].view(batch, 3, size))
            carry = torch.addcmul(back[t] @ weight, flow, z[t])
        flat = back.view(steps * batch, 3 * size)
        grad_weight = flat.t() @ previous.view(steps * batch, size)
        grad_bias = flat.sum(0)
        back[..., 2 * size :] = to_new * into_state  # the input part of n is not scaled by r
        return back, grad_weight, grad_bias, None, None


def library_recurrence(x: Tensor, parameters: list[Tensor], start: Tensor) -> Tensor:
    """The same GRU by torch's own fused kernels (cuDNN on a GPU), which know no quantisation.

    x           (steps, batch, inputs) float32
    parameters  weight_ih, weight_hh, bias_ih, bias_hh
    start       (batch, H) state before the first step
    returns     (steps, batch, H) float32
    """
    states: Tensor = torch._VF.gru(x, start[None], parameters, True, 1, 0.0, True, False, False)[0]
    return states


def recurrence(gates_in: Tensor, weight: Tensor, bias: Tensor, start: Tensor, quantised: bool = False) -> Tensor:
    """Run a GRU over time.

    gates_in   (steps, batch, 3 H) float32, input part of the gates r, z, n, bias included
    weight     (3 H, H) recurrent weights
    bias       (3 H,) recurrent bias
    start      (batch, H) state before the first step; no gradient goes into it
    quantised  the state is seen by the next step through the 7-bit activation format
    returns    (steps, batch, H) states, in -1..1
    source     torch.nn.GRU, which the tests compare with
    """
    return _Recurrence.apply(gates_in, weight, bias, start, quantised)
