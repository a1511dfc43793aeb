"""Plan of mixtures: a random generator, a bank and a recipe go in; which clips, how loud and through what, as plain
numbers, come out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from sordino.chain.params import HOP, SAMPLE_RATE
from sordino.train.bank import Bank, Shelf
from sordino.train.damage import Chances, Damage, draw_damage
from sordino.train.recipe import Recipe

CURVE_POINTS = 10
"""Control points of a random equaliser, evenly spaced in log frequency."""
_CLICK_S = (1e-3, 2e-2)  # a click falls to 1 / e within
_CLICKS_PER_S = (1.0, 10.0)
_MOST_PIECES = 40  # in a row
_REFERENCE_DB = -26.0  # level to which pieces are brought before they are put together


@dataclass(frozen=True)
class Piece:
    """A stretch of a clip laid into one row of a batch."""

    row: int
    start: int  # first sample in the bank
    at: int  # first sample in the row
    length: int
    gain: float


@dataclass(frozen=True)
class Click:
    """A burst of noise that dies away."""

    row: int
    at: int  # first sample in the row
    decay: float  # samples to fall to 1 / e
    gain: float


@dataclass
class Plan:
    """Everything that one batch is made of.  `values` holds one number per row under each name."""

    rows: int
    seed: int
    speech: list[Piece] = field(default_factory=list)
    noise: list[Piece] = field(default_factory=list)
    second: list[Piece] = field(default_factory=list)
    white_rows: list[int] = field(default_factory=list)
    clicks: list[Click] = field(default_factory=list)
    reverberant_rows: list[int] = field(default_factory=list)
    recorded: list[int] = field(default_factory=list)  # per reverberant row: a response of the bank, or -1
    decay_s: list[float] = field(default_factory=list)  # per reverberant row: time to fall by 60 dB
    direct_gain: list[float] = field(default_factory=list)  # per reverberant row
    damage: Damage = field(default_factory=Damage)
    values: dict[str, np.ndarray] = field(default_factory=dict)

    @cached_property
    def _tensors(self) -> dict[str, Tensor]:
        return {name: torch.from_numpy(np.asarray(value, np.float32)) for name, value in self.values.items()}

    def column(self, name: str, device: torch.device) -> Tensor:
        """(rows,) float32"""
        return self._tensors[name].to(device)

    def matrix(self, name: str, device: torch.device) -> Tensor:
        """(rows, CURVE_POINTS) float32"""
        return self._tensors[name].to(device)


def _gain(level_db: float, jitter_db: float, rng: np.random.Generator) -> float:
    return float(10 ** ((_REFERENCE_DB - level_db + rng.normal(0, jitter_db)) / 20))


def _lay(
    rng: np.random.Generator,
    shelf: Shelf,
    row: int,
    samples: int,
    pause_s: tuple[float, float],
    jitter_db: float,
    at: int = 0,
    other_clip: float = 0.4,
) -> tuple[list[Piece], list[int]]:
    """Fill a row from sample `at` with stretches of clips from one shelf; return pieces and indices of the clips.

    other_clip  chance that after a stretch another clip is taken
    """
    pieces: list[Piece] = []
    used: list[int] = []
    index = int(rng.choice(len(shelf.clips), p=shelf.chance))
    while at < samples and len(pieces) < _MOST_PIECES:
        clip = shelf.clips[index]
        room = samples - at
        length = min(clip.length, room)
        if clip.length > room and rng.random() < 0.15:
            length = max(int(length * rng.uniform(0.3, 0.7)), min(length, SAMPLE_RATE // 2))
        offset = int(rng.integers(0, clip.length - length + 1))
        start = int(shelf.starts[index]) + offset
        pieces.append(Piece(row, start, at, length, _gain(clip.level_db, jitter_db, rng)))
        used.append(index)
        at += length + int(rng.uniform(*pause_s) * SAMPLE_RATE)
        if rng.random() < other_clip:
            index = int(rng.choice(len(shelf.clips), p=shelf.chance))
    return pieces, used


def _babble(rng: np.random.Generator, speech: Shelf, row: int, samples: int) -> list[Piece]:
    """Three to eight other talkers at once."""
    pieces: list[Piece] = []
    for _ in range(int(rng.integers(3, 9))):
        pieces += _lay(rng, speech, row, samples, (0.0, 0.3), 4.0)[0]
    return pieces


def _clicks(rng: np.random.Generator, row: int, samples: int) -> list[Click]:
    """Clicks as of a mouse or keys: alike, at irregular times."""
    decay = np.exp(rng.uniform(*np.log(_CLICK_S))) * SAMPLE_RATE
    count = 1 + rng.poisson(rng.uniform(*_CLICKS_PER_S) * samples / SAMPLE_RATE)
    gain_db, places = rng.normal(0, 5, count), rng.integers(0, samples, count)
    return [Click(row, int(at), float(decay), float(10 ** (db / 20))) for at, db in zip(places, gain_db, strict=True)]


def _plan_noise(
    rng: np.random.Generator, further: np.random.Generator, bank: Bank, recipe: Recipe, plan: Plan, row: int
) -> None:
    samples = recipe.noise_samples()
    impulsive = bank.impulsive if recipe.impulsive else None
    if recipe.synthetic and further.random() < recipe.synthetic:
        bank = bank.as_synthetic
    until_music = recipe.babble + recipe.music
    kind = rng.random()
    if kind < recipe.babble:
        plan.noise += _babble(rng, bank.speech, row, samples)
    elif kind < until_music and bank.music.clips:
        plan.noise += _lay(rng, bank.music, row, samples, (0.0, 0.1), 2.0)[0]
    elif kind < until_music + recipe.white:
        plan.white_rows.append(row)
    elif kind < until_music + recipe.white + recipe.impulsive:
        if rng.random() < 0.5 or not (impulsive and impulsive.clips):
            plan.clicks += _clicks(rng, row, recipe.frames * HOP)
            plan.white_rows.append(row)
        else:
            plan.noise += _lay(rng, impulsive, row, samples, (0.0, 0.6), 3.0)[0]
    elif recipe.steady and rng.random() < recipe.steady:
        plan.noise += _lay(rng, bank.noise, row, samples, (0.0, 0.0), 0.0, other_clip=0.0)[0]
    else:
        plan.noise += _lay(rng, bank.noise, row, samples, (0.0, 0.6), 3.0)[0]
    if rng.random() < recipe.second_noise:
        plan.second += _lay(rng, bank.noise, row, samples, (0.0, 1.5), 3.0)[0]


def _plan_room(rng: np.random.Generator, bank: Bank, recipe: Recipe, plan: Plan, row: int) -> None:
    plan.reverberant_rows.append(row)
    recorded = bank.responses and rng.random() < recipe.recorded_response
    plan.recorded.append(int(rng.integers(len(bank.responses))) if recorded else -1)
    plan.decay_s.append(float(rng.uniform(0.12, 0.75)))
    plan.direct_gain.append(float(10 ** (rng.uniform(0, 12) / 20)))


def _logarithms(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = np.log(limits)
    return float(low), float(high)


def _curves(rng: np.random.Generator, rows: int, spread_db: float) -> np.ndarray:
    """Random gains in dB at the control points: a tilt and smooth bumps."""
    tilt = rng.normal(0, spread_db / 1.5, (rows, 1)) * np.linspace(-1, 1, CURVE_POINTS)
    bumps = rng.normal(0, spread_db / 1.5, (rows, CURVE_POINTS))
    return (tilt + bumps).clip(-12, 12)


def _lay_rows(rng: np.random.Generator, further: np.random.Generator, bank: Bank, recipe: Recipe, plan: Plan) -> None:
    """Lay voices and noises, choose rooms; notes the bandwidths of the voices and which rows are coded."""
    bandwidth, coded = np.full(plan.rows, SAMPLE_RATE / 2), np.zeros(plan.rows, bool)
    for row in range(plan.rows):
        coded[row] = further.random() < recipe.coded and bool(bank.coded.speech.clips)
        source = bank.as_coded if coded[row] else bank
        first = 0
        if recipe.late_start and rng.random() < recipe.late_start:
            first = int(rng.uniform(*recipe.late_start_s) * SAMPLE_RATE)
        pieces, used = _lay(rng, source.speech, row, recipe.speech_samples(), (0.1, 0.9), 2.0, first)
        plan.speech += pieces
        bandwidth[row] = min(source.speech.clips[index].bandwidth_hz for index in used)
        _plan_noise(rng, further, source, recipe, plan, row)
        if rng.random() < recipe.reverberant:
            _plan_room(rng, bank, recipe, plan, row)
            if bank.rooms and further.random() < recipe.simulated_response:
                plan.recorded[-1] = len(bank.responses) + int(further.integers(len(bank.rooms)))
    plan.values = {"bandwidth_hz": bandwidth, "coded": coded}


def draw_plan(rng: np.random.Generator, bank: Bank, recipe: Recipe, rows: int) -> Plan:
    """Draw the plan of one batch.

    rng      source of all chance
    bank     clips to draw from
    recipe   probabilities and ranges
    rows     signals in the batch
    returns  Plan
    """
    plan = Plan(rows, int(rng.integers(2**31)))
    further = np.random.default_rng(plan.seed)  # so that what is switched off leaves the rest as it was
    _lay_rows(rng, further, bank, recipe, plan)
    case = rng.random(rows)

    def sometimes(chance: float, chosen: np.ndarray, other: float) -> np.ndarray:
        return np.where(rng.random(rows) < chance, chosen, other)

    plan.values |= {
        "speaks": case >= recipe.only_noise,
        "noisy": case < 1 - recipe.only_speech,
        "snr_db": rng.normal(recipe.snr_mean_db, recipe.snr_spread_db, rows).clip(*recipe.snr_range_db),
        "level_db": rng.uniform(*recipe.level_range_db, rows),
        "second_power": 10 ** (rng.uniform(-15, 3, rows) / 10),
        "overdrive": sometimes(recipe.overdriven, rng.uniform(1.1, 2.0, rows), 1.0),
        "low_pass_hz": sometimes(recipe.low_pass, np.exp(rng.uniform(np.log(3400), np.log(20000), rows)), 1e6),
        "high_pass_hz": sometimes(recipe.high_pass, rng.uniform(50, 200, rows), 0.0),
        "speech_curve": _curves(rng, rows, recipe.speech_curve_db),
        "noise_curve": _curves(rng, rows, recipe.noise_curve_db),
    }
    white = np.isin(np.arange(rows), plan.white_rows)
    plan.values["noise_curve"] += white[:, None] * rng.uniform(-9, 1, (rows, 1)) * np.arange(CURVE_POINTS) / 3
    if recipe.other_speed:
        speed = np.exp(rng.uniform(*_logarithms(recipe.speed_range), rows))
        plan.values["speed"] = sometimes(recipe.other_speed, speed, 1.0)
        plan.values["bandwidth_hz"] = plan.values["bandwidth_hz"] * plan.values["speed"]
    _harm(further, recipe, plan)
    if recipe.other_noise_speed:
        _change_noise_speeds(further, recipe, plan)
    return plan


def _change_noise_speeds(rng: np.random.Generator, recipe: Recipe, plan: Plan) -> None:
    """Speeds of both noises of each signal."""
    for name in ("noise_speed", "second_speed"):
        speed = np.exp(rng.uniform(*_logarithms(recipe.noise_speed_range), plan.rows))
        plan.values[name] = np.where(rng.random(plan.rows) < recipe.other_noise_speed, speed, 1.0)


def _harm(rng: np.random.Generator, recipe: Recipe, plan: Plan) -> None:
    """What else happens: ratios all over the range, the band of the codec, gaps and gain changes."""
    even = rng.random(plan.rows) < recipe.snr_even
    values = plan.values
    values["snr_db"] = np.where(even, rng.uniform(*recipe.snr_range_db, plan.rows), values["snr_db"])
    narrow = np.minimum(values["low_pass_hz"], values["bandwidth_hz"])
    values["low_pass_hz"] = np.where(values.pop("coded"), narrow, values["low_pass_hz"])
    chances = Chances(recipe.lost_packets, recipe.muted, recipe.moving_gain)
    plan.damage = draw_damage(rng, chances, plan.rows, recipe.frames * HOP)
