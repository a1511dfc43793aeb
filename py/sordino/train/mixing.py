"""Mixing: clips of a corpus go in, batches of noisy signals with their clean targets come out, on the training device.

plan.py draws which clips, where, how loud and which filters, in NumPy from one seed; rendering it is batched
tensor arithmetic on whatever device the bank of samples lies on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sordino.chain.params import HOP, SAMPLE_RATE
from sordino.data.clips import ADVICE
from sordino.train.bank import Bank, say_once
from sordino.train.damage import cut_gaps, move_gain
from sordino.train.filters import Curves, impulse_responses
from sordino.train.plan import Click, Piece, Plan, draw_plan
from sordino.train.recipe import Recipe

_FADE = 240  # samples over which a piece is faded in and out
_CEILING = 0.98  # largest sample of a mixture that is not clipped on purpose
_CLICK = 4800  # longest click, in samples
_TAIL = 36000  # samples added to the transform so that reverberation does not wrap around


@dataclass(frozen=True)
class Batch:
    """One batch of training signals."""

    noisy: Tensor  # (batch, samples) full scale 1
    clean: Tensor  # (batch, samples) what should come out
    bandwidth_hz: Tensor  # (batch,) the clean speech holds nothing above
    level: Tensor  # (batch,) mean power of the active clean frames; 0 where there is no speech


def _render(bank: Bank, pieces: list[Piece], rows: int, samples: int) -> Tensor:
    """Lay pieces of clips into `rows` empty signals; (rows, samples)."""
    device = bank.samples.device
    out = torch.zeros(rows, samples, device=device)
    windows = bank.samples.unfold(0, samples, 1)
    position = torch.arange(samples, device=device)
    for first in range(0, len(pieces), 64):
        some = pieces[first : first + 64]

        def column(name: str, some: list[Piece] = some) -> Tensor:
            return torch.tensor([getattr(piece, name) for piece in some], device=device)

        begin = column("at")[:, None]
        sound = windows[column("start") - column("at") + bank.margin].float()
        from_edge = torch.minimum(position - begin, begin + column("length")[:, None] - 1 - position)
        envelope = (from_edge / _FADE).clamp_(0, 1).mul_(column("gain")[:, None].float() / 32768)
        out.index_add_(0, column("row"), sound.mul_(envelope))
    return out


def active_power(signal: Tensor) -> Tensor:
    """Mean power of the 10 ms frames within 30 dB of the loudest, (batch, samples) -> (batch,)."""
    power = signal.unfold(-1, HOP, HOP).square().mean(-1)
    active = (power > power.amax(-1, keepdim=True) * 1e-3) & (power > 0)
    return (power * active).sum(-1) / active.sum(-1).clamp_min(1)


def _colour(plan: Plan, device: torch.device, rows: int, samples: int) -> Tensor:
    """White noise in the rows that the plan asks for; its colour comes from the noise filter."""
    out = torch.zeros(rows, samples, device=device)
    if plan.white_rows:
        generator = torch.Generator(device).manual_seed(plan.seed)
        out[plan.white_rows] = torch.randn(len(plan.white_rows), samples, generator=generator, device=device)
    _fade_clicks(plan.clicks, out)
    return out


def _fade_clicks(clicks: list[Click], noise: Tensor) -> None:
    """Let the noise of the rows that have clicks sound in these only, each dying away; in place."""
    if not clicks:
        return
    device, samples = noise.device, noise.shape[1]
    at, decay, gain = (
        torch.tensor([getattr(click, name) for click in clicks], device=device)[:, None]
        for name in ("at", "decay", "gain")
    )
    later = torch.arange(_CLICK, device=device)
    strength = gain * torch.exp(-later / decay) * (1 - later / _CLICK)
    place = (torch.tensor([click.row for click in clicks], device=device)[:, None] * samples + at) + later
    rows = sorted({click.row for click in clicks})
    envelope = torch.zeros(noise.numel() + _CLICK, device=device)
    envelope.index_add_(0, place.flatten(), (strength * (at + later < samples)).flatten())
    noise[rows] *= envelope[: noise.numel()].view_as(noise)[rows]


def _to_power(signal: Tensor, power: Tensor) -> Tensor:
    """Scale each row to an active power, (batch, samples), (batch,)."""
    return signal * (power / active_power(signal).clamp_min(1e-12)).sqrt()[:, None]


def _say_what_is_missing(bank: Bank, recipe: Recipe) -> None:
    """Say, once, which parts of a recipe a bank has nothing for."""
    wanted = {
        "Opus-coded copies of speech": (recipe.coded, bank.coded.speech.clips),
        "synthetic noise and music": (recipe.synthetic, bank.synthetic.noise.clips),
        "simulated rooms": (recipe.simulated_response, bank.rooms),
    }
    for name, (chance, found) in wanted.items():
        if chance and not found:
            say_once(f"the cache holds no {name}, so there are none in the mixtures", ADVICE)


class Mixer:
    """Draws batches from a bank of clips.

    bank    decoded clips on the device where the batches are wanted
    recipe  probabilities and ranges
    raises  ValueError for signals longer than the silence around the bank
    """

    def __init__(self, bank: Bank, recipe: Recipe) -> None:
        self.bank, self.recipe = bank, recipe
        longest = max(recipe.speech_samples(), recipe.noise_samples())
        if longest > bank.margin:
            got_s, wanted_s = (round(count / SAMPLE_RATE) for count in (longest, bank.margin))
            raise ValueError(f"signals of {got_s} s, wanted at most {wanted_s}")
        _say_what_is_missing(bank, recipe)
        self.samples = recipe.frames * HOP
        self.curves = Curves(self.samples + _TAIL, bank.samples.device)

    def draw(self, seed: int, rows: int) -> Batch:
        """Make one batch; the same seed gives the same batch on the same device.

        seed     any non-negative integer
        rows     signals in the batch
        returns  Batch of recipe.frames hops
        """
        plan = draw_plan(np.random.default_rng(seed), self.bank, self.recipe, rows)
        speech = self.speech(plan, rows)
        noise = self._noise(plan, rows)
        reverberant, early, noise = self._filter(plan, speech, noise)
        return self._balance(plan, reverberant, early, noise)

    def speech(self, plan: Plan, rows: int) -> Tensor:
        """Lay the speech, at another speed where the plan says so: other pitch, other vocal tract."""
        return self._lay(plan.speech, self.recipe.speech_samples(), plan, "speed", rows)

    def _lay(self, pieces: list[Piece], samples: int, plan: Plan, speed: str, rows: int) -> Tensor:
        """Lay pieces into rows of so many samples, then play each at its speed of that name, if there is one."""
        laid = _render(self.bank, pieces, rows, samples)
        if speed not in plan.values:
            return laid
        device = laid.device
        position = torch.arange(self.samples, device=device) * plan.column(speed, device)[:, None].double()
        first = position.long()
        here = laid.gather(1, first)
        return torch.lerp(here, laid.gather(1, first + 1), (position - first).float())

    def _noise(self, plan: Plan, rows: int) -> Tensor:
        """Sum two noise tracks at their relative levels."""
        device, samples = self.bank.samples.device, self.recipe.noise_samples()
        first = self._lay(plan.noise, samples, plan, "noise_speed", rows)
        first += _colour(plan, device, rows, self.samples)
        total = _to_power(first, torch.ones(rows, device=device))
        if plan.second:
            second = self._lay(plan.second, samples, plan, "second_speed", rows)
            total += _to_power(second, plan.column("second_power", device))
        return total

    def _filter(self, plan: Plan, speech: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Equalise both, reverberate some of the speech; returns reverberant speech, target speech and noise."""
        device = speech.device
        size = self.samples + _TAIL
        shared = self.curves.cut(plan.column("low_pass_hz", device), plan.column("high_pass_hz", device))
        voice = torch.fft.rfft(speech, size) * (self.curves.smooth(plan.matrix("speech_curve", device)) * shared)
        other = torch.fft.rfft(noise, size) * (self.curves.smooth(plan.matrix("noise_curve", device)) * shared)
        early = torch.fft.irfft(voice, size)[:, : self.samples]
        noise = torch.fft.irfft(other, size)[:, : self.samples]
        if not plan.reverberant_rows:
            return early, early, noise
        rows = torch.tensor(plan.reverberant_rows, device=device)
        full, target = impulse_responses(plan, self.bank, _TAIL)
        dry = voice[rows]
        reverberant = early.clone()
        reverberant[rows] = torch.fft.irfft(dry * torch.fft.rfft(full, size), size)[:, : self.samples]
        early = early.index_copy(0, rows, torch.fft.irfft(dry * torch.fft.rfft(target, size), size)[:, : self.samples])
        return reverberant, early, noise

    def _balance(self, plan: Plan, reverberant: Tensor, early: Tensor, noise: Tensor) -> Batch:
        """Set speech level, signal to noise ratio and overall level; guard against clipping, or clip on purpose."""
        device = noise.device
        wanted = 10 ** (plan.column("level_db", device) / 10)
        speaks, noisy = plan.column("speaks", device), plan.column("noisy", device)
        found = active_power(reverberant)
        scale = ((wanted / found.clamp_min(1e-12)).sqrt() * speaks * (found > 1e-9))[:, None]
        reverberant, early = reverberant * scale, early * scale
        noise = _to_power(noise, wanted * 10 ** (-plan.column("snr_db", device) / 10) * noisy)
        mixture = reverberant + noise
        move_gain(plan.damage, mixture, early)
        peak = mixture.abs().amax(-1).clamp_min(1e-9)
        guard = torch.minimum(_CEILING * plan.column("overdrive", device) / peak, torch.ones_like(peak))[:, None]
        mixture = (mixture * guard).clamp(-_CEILING, _CEILING)
        clean = early * guard
        cut_gaps(plan.damage, mixture, clean)
        return Batch(mixture, clean, plan.column("bandwidth_hz", device), active_power(clean))
