"""Loss: the network's logits, the analysis of the noisy signal and the targets go in, one number comes out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from sordino.chain.params import BANDS
from sordino.train.analysis import Analysis, inner, tables
from sordino.train.listener import listener_loss
from sordino.train.network import Outputs
from sordino.train.perceptual import perceptual_loss
from sordino.train.targets import Targets
from sordino.train.treatment import enhance

_COMPRESSION = 0.3  # exponent on magnitudes
_MAGNITUDE_FLOOR = 1e-5  # of the level-normalised power, keeps the gradient of the exponent finite
_LEVEL_FLOOR = 1e-9  # mean power of a signal that is as good as silent
_BIN_POWER = 1 / 200  # power of a typical speech bin, at signal power 1
_PIECE, _PIECE_STEP = 4, 2  # frames over which the level of speech is compared, and from one such piece to the next
_LOUD, _QUIET = 1e-2, 1e-3  # powers relative to active speech: pieces above count, frames below are pauses
_PAUSE = 10  # frames of pause that make the next piece an onset
_ONSET_WEIGHT = 4.0
_KEPT_FLOOR = 0.03
_SLACK = 0.02  # of the level, 0.2 dB: below, it costs by its square


@dataclass(frozen=True)
class LossWeights:
    """How much each term counts, and how far up the spectral term reads."""

    gain: float = 1.0
    strength: float = 0.3
    voice: float = 0.1
    spectral: float = 4.0
    complex_share: float = 0.3
    perceptual: float = 0.0
    level: float = 0.0
    listener: float = 0.0
    over_suppression: float = 0.3
    spectral_bins: int = 260
    comb_in_spectral: bool = True


def gain_loss(logits: Tensor, targets: Targets, over_suppression: float) -> Tensor:
    """Article loss on square-rooted gains, squared plus ten times the fourth power.

    logits            (batch, steps, BANDS)
    targets           with weights per band
    over_suppression  extra weight where the gain is too low
    returns           scalar
    """
    wrong = targets.gain.sqrt() - torch.exp(0.5 * functional.logsigmoid(logits))
    square = wrong.square()
    each = (square + 10 * square.square()) * (1 + over_suppression * (wrong > 0))
    return (each * targets.weight).mean()


def strength_loss(logits: Tensor, targets: Targets) -> Tensor:
    """Squared difference of sqrt(1 - strength), counted in voiced frames; scalar."""
    kept = torch.exp(0.5 * functional.logsigmoid(-logits))
    wrong = (1 - targets.strength).sqrt() - kept
    return (wrong.square() * targets.weight * targets.voice[..., None]).mean()


def bin_weights(bins: int, device: torch.device) -> Tensor:
    """Weight of each bin: between equal bins and equal bands, mean 1; (bins,)."""
    triangles = tables(device).triangles[:bins]
    density = (triangles / triangles.sum(0).clamp_min(1e-6)).sum(1)
    root = density.sqrt()
    return root / root.mean()


def level_loss(cross: Tensor, power: Tensor, level: Tensor) -> Tensor:
    """How far the level of the voice inside the result lies from the clean one; words after a pause count most.

    cross    (batch, steps) sum over bins of the part of the result that is in phase with the clean spectrum
    power    (batch, steps) the same of the clean spectrum with itself
    level    (batch,) power of the active clean frames on the same scale, 0 without speech
    returns  scalar, about a tenth of the mean distance in dB
    """

    def pieces(frames: Tensor) -> Tensor:
        return functional.avg_pool1d(frames[:, None], _PIECE, _PIECE_STEP)[:, 0]

    before = functional.pad(power, (_PAUSE, 0), value=torch.inf)[:, None, :-1]  # a signal may start within a word
    loudest = functional.max_pool1d(before, _PAUSE, 1)[:, 0]  # of the _PAUSE frames before each
    begins = (loudest < _QUIET * level[:, None]).float()
    begins = functional.max_pool1d(begins[:, None], _PIECE, _PIECE_STEP)[:, 0]
    wanted = pieces(power)
    counts = (wanted > _LOUD * level[:, None]) * (level > 0)[:, None] * (1 + (_ONSET_WEIGHT - 1) * begins)
    kept = (pieces(cross) / wanted.clamp_min(1e-20)).clamp_min(_KEPT_FLOOR)
    apart = 2 * kept.log10()
    return (((apart.square() + _SLACK**2).sqrt() - _SLACK) * counts).sum() / counts.sum().clamp_min(1)


def _compressed_difference(found_power: Tensor, wanted_power: Tensor, cross: Tensor, weights: LossWeights) -> Tensor:
    """How far two compressed spectra are apart in each bin.

    found_power, wanted_power, cross  (batch, steps, bins) of the two and of their product
    returns                           the same shape
    """
    found_size = found_power.pow(_COMPRESSION / 2)
    wanted_size = wanted_power.pow(_COMPRESSION / 2)
    wrong = wanted_size - found_size
    magnitude = wrong.square() * (1 + weights.over_suppression * (wrong > 0))
    # |a - b|^2 of the compressed spectra = difference of sizes^2 + 2 |a||b| (1 - cos of the angle)
    alike = cross * (found_power * wanted_power).rsqrt()
    turned = 2 * found_size * wanted_size * (1 - alike)
    return magnitude + weights.complex_share * turned


def spectral_losses(
    outputs: Outputs, analysis: Analysis, targets: Targets, weights: LossWeights
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Judge the spectrum that gains and comb make of the noisy one.

    outputs   (batch, steps, ...) logits
    analysis  of the noisy signals
    targets   clean spectrum, weights per band, level
    weights   spectral_bins, complex_share, over_suppression, perceptual, level, listener
    returns   scalars: difference of compressed spectra; fall of the quality estimate, distance of the level and fall
              of the estimated rating, 0 where they do not count
    """
    bins = weights.spectral_bins
    strength = torch.sigmoid(outputs.strength)
    if not weights.comb_in_spectral:
        strength = strength.detach()
    silent = 0.1 * analysis.energy.sum(-1).mean(1)
    level = torch.where(targets.level > 0, targets.level, silent).clamp_min(_LEVEL_FLOOR)
    scale = (level * _BIN_POWER).rsqrt()[:, None, None]
    real, imag = enhance(torch.sigmoid(outputs.gain), strength, analysis, bins)
    real, imag = real * scale, imag * scale
    wanted = targets.spectrum[..., :bins] * scale
    counts = targets.weight @ tables(real.device).triangles[:bins].T
    found_power, wanted_power = torch.addcmul(real * real, imag, imag), inner(wanted, wanted)
    quality = real.new_zeros(())
    if weights.perceptual:
        heard = (counts > 0.5).float()  # nothing is known above the clean recording's bandwidth
        quality = perceptual_loss(found_power * heard, wanted_power * heard, targets.voice)
    cross = real * wanted.real + imag * wanted.imag
    distance = real.new_zeros(())
    if weights.level:
        voiced = wanted_power.sum(-1)
        active = (voiced * targets.voice).sum(1) / targets.voice.sum(1).clamp_min(1)
        distance = level_loss(cross.sum(-1), voiced, active)
    rated = real.new_zeros(())
    if weights.listener:
        rated = listener_loss(real, imag, targets.voice * (targets.level > 0)[:, None])
    each = _compressed_difference(found_power + _MAGNITUDE_FLOOR, wanted_power + _MAGNITUDE_FLOOR, cross, weights)
    return (each * counts * bin_weights(bins, each.device)).mean(), quality, distance, rated


def total_loss(
    outputs: Outputs, analysis: Analysis, targets: Targets, weights: LossWeights
) -> tuple[Tensor, dict[str, Tensor]]:
    """Sum all terms.

    outputs   logits, (batch, steps, ...)
    returns   (scalar to minimise, the terms by name, detached)
    """
    assert outputs.gain.shape[-1] == BANDS
    spectral, quality, distance, rated = spectral_losses(outputs, analysis, targets, weights)
    terms = {
        "gain": gain_loss(outputs.gain, targets, weights.over_suppression),
        "strength": strength_loss(outputs.strength, targets),
        "voice": functional.binary_cross_entropy_with_logits(outputs.voice, targets.voice),
        "spectral": spectral,
        "perceptual": quality,
        "level": distance,
        "listener": rated,
    }
    total = sum(getattr(weights, name) * term for name, term in terms.items())
    return total, {name: term.detach() for name, term in terms.items()}


def gain_bias_db(outputs: Outputs, targets: Targets) -> Tensor:
    """Level of the kept speech against the ideal, in dB, over voiced frames and weighted by clean energy.

    Negative means over-suppression.  Scalar.
    """
    clean = targets.energy * (targets.voice[..., None] * targets.weight)
    found = torch.sigmoid(outputs.gain).clamp_min(1e-3).log10()
    ideal = targets.gain.clamp_min(1e-3).log10()
    per_band = clean / clean.sum((1, 2), keepdim=True).clamp_min(1e-20)
    some = (targets.level > 0).float()
    return 20 * ((found - ideal) * per_band).sum((1, 2)).mul(some).sum() / some.sum().clamp_min(1)
