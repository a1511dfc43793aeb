"""Bank: the stores of a corpus go in, one flat tensor of samples on the training device with its clips comes out.

It also says how likely each speaker and each clip is to be drawn for a mixture.
"""

from __future__ import annotations

import math
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

import numpy as np
import torch
from torch import Tensor, distributed

from sordino.chain.params import HOP, SAMPLE_RATE
from sordino.data.clips import ADVICE, CODED, CODED_PREFIX, ROOM, SYNTHETIC, Clip, Store
from sordino.data.manifest import CorpusError

MARGIN = 30 * SAMPLE_RATE
"""Silence around the flat samples, so that a window of a signal's length may be cut around any clip."""
_IMPULSIVE_DUTY = 0.1
_KEYBOARDS = 8.0  # half of the impulsive noises that are drawn are keyboards, where there are ten of them


@dataclass(frozen=True)
class Shelf:
    """Clips of one kind: where they start in the bank, and how likely each is drawn."""

    clips: tuple[Clip, ...]
    starts: np.ndarray  # (clips,) first sample in the bank, margin not counted
    chance: np.ndarray  # (clips,) sums to 1

    def some(self, weight: np.ndarray) -> Shelf:
        """The clips with a weight above 0, drawn as often as here times their weight, (clips,)."""
        kept = np.flatnonzero(weight)
        chance = (self.chance * weight)[kept]
        return Shelf(tuple(self.clips[i] for i in kept), self.starts[kept], chance / chance.sum())


_EMPTY = Shelf((), np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True)
class Coded:
    """Copies of clips as a codec leaves them."""

    speech: Shelf = _EMPTY
    noise: Shelf = _EMPTY


@dataclass(frozen=True)
class Synthetic:
    """Clips that were made, not recorded."""

    noise: Shelf = _EMPTY
    music: Shelf = _EMPTY


@dataclass(frozen=True)
class Bank:
    """Every clip that training may use."""

    samples: Tensor  # (n,) int16, MARGIN zeros at both ends
    speech: Shelf
    noise: Shelf
    music: Shelf
    responses: list[Tensor]  # recorded impulse responses, float, direct sound first, largest sample 1
    rooms: list[Tensor] = field(default_factory=list)  # the same, simulated
    coded: Coded = Coded()
    synthetic: Synthetic = Synthetic()
    margin: int = MARGIN

    @cached_property
    def as_coded(self) -> Bank:
        """The same bank with the coded copies in place of speech and, where there are any, of noise."""
        return replace(self, speech=self.coded.speech, noise=self.coded.noise if self.coded.noise.clips else self.noise)

    @cached_property
    def as_synthetic(self) -> Bank:
        """The same bank with synthetic noise and music, where there are any, in place of the recorded."""
        found = {kind: getattr(self.synthetic, kind) for kind in ("noise", "music")}
        return replace(self, **{kind: shelf for kind, shelf in found.items() if shelf.clips})

    @cached_property
    def impulsive(self) -> Shelf:
        """Noises that are silent most of the time; keyboards more often than the others."""
        duty = np.array([self._duty(i) for i in range(len(self.noise.clips))])
        keys = np.array([clip.category == "keyboard" for clip in self.noise.clips])
        weight = (duty < _IMPULSIVE_DUTY) * np.where(keys, _KEYBOARDS, 1.0)
        return self.noise.some(weight) if weight.any() else _EMPTY

    def _duty(self, index: int) -> float:
        """Part of its time in which a noise sounds: 1 for a steady one, little for single knocks."""
        first = self.margin + int(self.noise.starts[index])
        hops = self.noise.clips[index].length // HOP
        sound = self.samples[first : first + hops * HOP].view(hops, HOP).float()
        power = sound.square().mean(1)
        return float(power.mean().square() / power.square().mean().clamp_min(1e-12))


def _chances(clips: tuple[Clip, ...], kind: str) -> np.ndarray:
    """Speakers are drawn by the root of their duration; of noise, long and named recordings more than short effects."""
    seconds = np.array([clip.length / SAMPLE_RATE for clip in clips])
    if kind == "speech":
        of_speaker: dict[str, float] = defaultdict(float)
        for clip, duration in zip(clips, seconds, strict=True):
            of_speaker[clip.speaker] += float(duration)
        weight = seconds / np.sqrt([of_speaker[clip.speaker] for clip in clips])
        return np.asarray(weight / weight.sum())
    weight = np.sqrt(seconds.clip(0.2, 20.0))
    weight *= [0.5 if clip.category in ("misc_fx", "weapon_impact") else 1.5 for clip in clips]
    return np.asarray(weight / weight.sum())


def choose(
    store: Store, exclude: tuple[str, ...], snr_floor_db: float = -1e9, voice_limit: float = 1.0
) -> tuple[Clip, ...]:
    """Return the clips of a store that training may use.

    store         as loaded from the cache
    exclude       regular expressions; a clip whose path or speaker matches one is left out
    snr_floor_db  recordings with a lower estimate are left out
    voice_limit   noise of which more was taken for speech is left out
    returns       the clips kept, in their order
    """
    patterns = [re.compile(pattern) for pattern in exclude]
    return tuple(
        clip
        for clip in store.clips
        if not any(p.search(clip.path) or p.match(clip.speaker) for p in patterns)
        and not clip.snr_db < snr_floor_db
        and not clip.voice_share > voice_limit
        and clip.level_db > -70
    )


def align_response(response: np.ndarray) -> Tensor:
    """Cut an impulse response so that its direct sound comes first, and scale that to 1."""
    peak = int(np.abs(response).argmax())
    cut = response[peak:].astype(np.float32)
    return torch.from_numpy(cut / cut[0])


@cache
def say_once(line: str, advice: str) -> None:
    """Tell the user, the first time that it is said; of the processes of a run the first one speaks."""
    if distributed.is_initialized() and distributed.get_rank():
        return
    print(f"corpus: {line}; {advice}", file=sys.stderr, flush=True)


def _responses(store: Store) -> list[Tensor]:
    return [align_response(store.samples[c.start : c.start + c.length] / 32768.0) for c in store.clips]


def make_bank(
    stores: dict[str, Store],
    exclude_speech: tuple[str, ...],
    exclude_noise: tuple[str, ...],
    snr_floor_db: float,
    device: torch.device,
    voice_limit: float = 1.0,
) -> Bank:
    """Put the stores of one split on a device.

    stores          by name (see sordino.data.clips.STORES): speech, noise, and what else there is
    exclude_speech  patterns of paths or speakers to leave out
    exclude_noise   patterns of paths to leave out
    snr_floor_db    speech recordings with a lower estimated ratio are left out
    device          where batches will be mixed
    voice_limit     noise of which a detector took more for speech is left out
    returns         Bank
    raises          CorpusError if no speech or no noise is left
    """
    flat, offset = [np.zeros(MARGIN, np.int16)], 0
    shelves: dict[str, Shelf] = {}
    empty = Store(np.zeros(0, np.int16), ())
    if voice_limit < 1 and all(math.isnan(clip.voice_share) for clip in stores.get("noise", empty).clips):
        say_once("the noise of this cache was not searched for voices, so none is left out for them", ADVICE)
    for name in ("speech", "noise", "music", *CODED, *SYNTHETIC):
        store, kind = stores.get(name, empty), name.removeprefix(CODED_PREFIX)
        speech = kind == "speech"
        exclude = exclude_speech if speech else exclude_noise
        clips = choose(store, exclude, snr_floor_db if speech else -1e9, voice_limit)
        if not clips and name in ("speech", "noise"):
            raise CorpusError(f"no {kind} clips are left of {len(store.clips)}")
        chance = _chances(clips, kind) if clips else np.zeros(0)
        shelves[name] = Shelf(clips, np.array([offset + clip.start for clip in clips], np.int64), chance)
        flat.append(np.asarray(store.samples))
        offset += len(store.samples)
    flat.append(np.zeros(MARGIN, np.int16))
    samples = torch.from_numpy(np.concatenate(flat)).to(device)
    responses, rooms = ([r.to(device) for r in _responses(stores.get(name, empty))] for name in ("rir", ROOM))
    coded, synthetic = Coded(*(shelves[name] for name in CODED)), Synthetic(*(shelves[name] for name in SYNTHETIC))
    return Bank(samples, shelves["speech"], shelves["noise"], shelves["music"], responses, rooms, coded, synthetic)
