"""Optimise: an analysed example goes in, the network has taken one step of AdamW, averaged over processes."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from sordino.train.config import Config, Schedule
from sordino.train.dataset import Example, batch_major
from sordino.train.loss import total_loss
from sordino.train.network import Network, States


def rate_at(schedule: Schedule, steps: int, progress: float) -> float:
    """Learning rate: linear warm-up over steps, then a cosine from learning_rate to final_rate over the run."""
    warm = min(1.0, (steps + 1) / schedule.warm_up_steps)
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return warm * (schedule.final_rate + (schedule.learning_rate - schedule.final_rate) * fall)


def keep_rows(states: States, rows: int, chance: float) -> States:
    """Choose the rows of a batch that go on from where the batch before ended; the others start from zeros.

    A call is longer than any signal of the training.  States that come from other signals are what the network
    meets in its tenth minute, and after a change of the room.

    states   of the batch before; none, or of another number of rows: all start from zeros
    rows     of this batch
    chance   of each row to go on
    returns  states to start from
    """
    if not chance or any(state.shape[0] != rows for state in states.values()):
        return {}
    keep = torch.rand(rows, 1) < chance
    return {name: state * keep.to(state.device, state.dtype) for name, state in states.items()}


class Learner:
    """Network, optimiser and averaged weights.

    network  on the device
    config   of the run
    """

    def __init__(self, network: Network, config: Config) -> None:
        self.network, self.config = network, config
        self.ema = copy.deepcopy(network).requires_grad_(False)
        decay = config.schedule.weight_decay
        matrices = [p for p in network.parameters() if p.dim() > 1]
        vectors = [p for p in network.parameters() if p.dim() == 1]
        groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.99), foreach=True)
        self.steps = 0
        self.states: States = {}

    def step(self, example: Example, features: Tensor, rate: float, quantised: bool) -> Tensor:
        """Take one step.

        example    analysed mixtures
        features   (steps, batch, FEATURES) normalised
        rate       learning rate
        quantised  train with fake quantisation
        returns    (8,) total and the terms in the order of total_loss, this process's
        """
        start = keep_rows(self.states, features.shape[1], self.config.schedule.carry)
        found = self.network(features, quantised, start)
        self.states = found.states
        outputs = batch_major(found)
        loss, terms = total_loss(outputs, example.analysis, example.targets, self.config.loss)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._average_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.schedule.clip_norm)
        if torch.isfinite(norm):
            for group in self.optimiser.param_groups:
                group["lr"] = rate
            self.optimiser.step()
            self._average_weights()
        self.steps += 1
        return torch.stack([loss.detach(), *terms.values()]).cpu()

    def _average_gradients(self) -> None:
        if not dist.is_initialized():
            return
        gradients = [p.grad for p in self.network.parameters()]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= dist.get_world_size()
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    @torch.no_grad()
    def _average_weights(self) -> None:
        """Exponential moving average; the early steps count less long."""
        decay = min(self.config.schedule.ema_decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(list(self.ema.parameters()), list(self.network.parameters()), 1 - decay)

    def state(self) -> dict[str, Any]:
        """Everything that restore needs, on the CPU."""
        return {
            "weights": {k: v.detach().cpu().clone() for k, v in self.network.state_dict().items()},
            "ema": {k: v.detach().cpu().clone() for k, v in self.ema.state_dict().items()},
            "optimiser": self.optimiser.state_dict(),
            "steps": self.steps,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Take over a state()."""
        self.network.load_state_dict(saved["weights"])
        self.ema.load_state_dict(saved["ema"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.steps = saved["steps"]
