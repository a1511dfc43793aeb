"""Engine: a checkpoint goes in, a function that denoises whole recordings through the torch twin comes out.

For judging checkpoints quickly; what ships is judged through the kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from sordino import stft
from sordino.params import BINS, HOP, POSTFILTER_BETA, POSTFILTER_FLOOR, WINDOW
from sordino.train.checkpoint import load_checkpoint
from sordino.train.config import from_dict
from sordino.train.dataset import Statistics, batch_major
from sordino.train.features import Analysis, analyse
from sordino.train.loss import enhance
from sordino.train.network import Network

Denoiser = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def postfilter(gain: Tensor, energy: Tensor) -> Tensor:
    """Sharpen gains, (..., BANDS); twin of sordino.postfilter."""
    warped = gain * torch.sin(gain * (torch.pi / 2))
    before = (energy * gain.square()).sum(-1, keepdim=True) + POSTFILTER_FLOOR
    after = (energy * warped.square()).sum(-1, keepdim=True) + POSTFILTER_FLOOR
    ratio = before / after
    return warped * ((1 + POSTFILTER_BETA) * ratio / (1 + POSTFILTER_BETA * ratio.square())).sqrt()


def synthesise(real: Tensor, imag: Tensor, look_ahead: int) -> Tensor:
    """Overlap-add spectra of centre frames, aligned with the input.

    real, imag  (batch, steps, BINS), step t holds frame t - look_ahead
    look_ahead  frames
    returns     (batch, (steps - look_ahead - 1) * HOP) samples, the first belongs to the first input sample
    """
    window = torch.from_numpy(stft.window()).to(real.device)
    frames = torch.fft.irfft(torch.complex(real, imag), WINDOW) * (window * HOP)
    batch, steps, _ = frames.shape
    out = functional.pad(frames[..., :HOP].reshape(batch, -1), (0, HOP))
    out[:, HOP:] += frames[..., HOP:].reshape(batch, -1)
    return out[:, HOP * (look_ahead + 1) : HOP * steps]


def apply_chain(
    network: Network, statistics: Statistics, look_ahead: int, signal: Tensor, quantised: bool, post_filter: bool
) -> Tensor:
    """Denoise a batch of signals; (batch, steps * HOP) -> (batch, (steps - look_ahead - 1) * HOP)."""
    analysis: Analysis = analyse(signal, look_ahead)
    features = statistics.normalise(analysis.features).transpose(0, 1).contiguous()
    outputs = batch_major(network(features, quantised))
    gain, strength = torch.sigmoid(outputs.gain), torch.sigmoid(outputs.strength)
    if post_filter:
        gain = postfilter(gain, analysis.energy)
    return synthesise(*enhance(gain, strength, analysis, BINS), look_ahead)


def checkpoint_denoiser(path: Path, quantised: bool = True, post_filter: bool = True) -> Denoiser:
    """Load the averaged weights of a checkpoint.

    path         a checkpoint
    quantised    see weights and activations as integer arithmetic does
    post_filter  sharpen the gains
    returns      function from (n,) float32 at 48 kHz to (n,) float32, aligned with its input
    """
    state = load_checkpoint(path)
    config = from_dict(state["config"])
    network = Network(config.network)
    network.load_state_dict(state["ema"])
    statistics = Statistics(state["feature_mean"], state["feature_std"])
    margin = HOP * (config.look_ahead + 1)

    @torch.no_grad()
    def denoise(samples: NDArray[np.float32]) -> NDArray[np.float32]:
        padding = -len(samples) % HOP + margin
        signal = functional.pad(torch.from_numpy(np.asarray(samples, np.float32)), (0, padding))[None]
        found = apply_chain(network, statistics, config.look_ahead, signal, quantised, post_filter)
        return found[0, : len(samples)].numpy()

    return denoise
