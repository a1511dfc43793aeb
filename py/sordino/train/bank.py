"""Bank: the stores of a corpus go in, one flat tensor of samples on the training device with its clips comes out."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sordino.params import SAMPLE_RATE
from sordino.train.corpus import Clip, CorpusError, Store

MARGIN = 10 * SAMPLE_RATE
"""Silence around the flat samples, so that a window of any signal length may be cut around any clip."""


@dataclass(frozen=True)
class Shelf:
    """Clips of one kind: where they start in the bank, and how likely each is drawn."""

    clips: tuple[Clip, ...]
    starts: np.ndarray  # (clips,) first sample in the bank, margin not counted
    chance: np.ndarray  # (clips,) sums to 1


@dataclass(frozen=True)
class Bank:
    """Every clip that training may use."""

    samples: Tensor  # (n,) int16, MARGIN zeros at both ends
    speech: Shelf
    noise: Shelf
    music: Shelf
    responses: list[Tensor]  # impulse responses, float, direct sound first, largest sample 1
    margin: int = MARGIN


def _chances(clips: tuple[Clip, ...], kind: str) -> np.ndarray:
    """Speech is drawn evenly over time; of noise, long and named recordings more often than short effects."""
    seconds = np.array([clip.length / SAMPLE_RATE for clip in clips])
    if kind == "speech":
        return seconds / seconds.sum()
    weight = np.sqrt(seconds.clip(0.2, 20.0))
    weight *= [0.5 if clip.category in ("misc_fx", "weapon_impact") else 1.5 for clip in clips]
    return weight / weight.sum()


def choose(store: Store, exclude: tuple[str, ...], snr_floor_db: float = -1e9) -> tuple[Clip, ...]:
    """Return the clips of a store that training may use.

    store         as loaded from the cache
    exclude       regular expressions; a clip whose path or speaker matches one is left out
    snr_floor_db  recordings with a lower estimate are left out
    returns       the clips kept, in their order
    """
    patterns = [re.compile(pattern) for pattern in exclude]
    return tuple(
        clip
        for clip in store.clips
        if not any(p.search(clip.path) or p.match(clip.speaker) for p in patterns)
        and not clip.snr_db < snr_floor_db
        and clip.level_db > -70
    )


def align_response(response: np.ndarray) -> Tensor:
    """Cut an impulse response so that its direct sound comes first, and scale that to 1."""
    peak = int(np.abs(response).argmax())
    cut = response[peak:].astype(np.float32)
    return torch.from_numpy(cut / cut[0])


def make_bank(
    stores: dict[str, Store],
    exclude_speech: tuple[str, ...],
    exclude_noise: tuple[str, ...],
    snr_floor_db: float,
    device: torch.device,
) -> Bank:
    """Put the stores of one split on a device.

    stores          by kind: speech, noise, and where there are any music and rir
    exclude_speech  patterns of paths or speakers to leave out
    exclude_noise   patterns of paths to leave out
    snr_floor_db    speech recordings with a lower estimated ratio are left out
    device          where batches will be mixed
    returns         Bank
    raises          CorpusError if no speech or no noise is left
    """
    flat, shelves, offset = [np.zeros(MARGIN, np.int16)], {}, 0
    empty = Store(np.zeros(0, np.int16), ())
    for kind in ("speech", "noise", "music"):
        store = stores.get(kind, empty)
        speech = kind == "speech"
        clips = choose(store, exclude_speech if speech else exclude_noise, snr_floor_db if speech else -1e9)
        if not clips and kind != "music":
            raise CorpusError(f"no {kind} clips are left of {len(store.clips)}")
        chance = _chances(clips, kind) if clips else np.zeros(0)
        shelves[kind] = Shelf(clips, np.array([offset + clip.start for clip in clips], np.int64), chance)
        flat.append(np.asarray(store.samples))
        offset += len(store.samples)
    flat.append(np.zeros(MARGIN, np.int16))
    rir = stores.get("rir", empty)
    responses = [align_response(rir.samples[c.start : c.start + c.length] / 32768.0) for c in rir.clips]
    samples = torch.from_numpy(np.concatenate(flat)).to(device)
    return Bank(samples, shelves["speech"], shelves["noise"], shelves["music"], [r.to(device) for r in responses])
