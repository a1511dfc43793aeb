"""Test set: decoded clips of one split of the corpus and a seed go in, pairs of noisy and clean recordings come out.

Clip i depends on the split, the seed and i only, and the parts take turns, so the first N clips are a smaller set of
the same composition. This mixer is not the one that training uses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE
from sordino.data.clips import Clip, Store, load_store
from sordino.data.manifest import CorpusError

from .fingerprint import TEST_SET, content
from .measures import active_power
from .rooms import draw_room, early_part

SECONDS = 7.0
SAMPLES = int(SECONDS * SAMPLE_RATE)
SNR_RANGE_DB = (-5.0, 20.0)
LEVEL_RANGE_DB = (-32.0, -20.0)
NOISE_KINDS = {
    "rain, fire, wind": ("rain_water", "fire", "wind"),
    "engines": ("vehicle_traffic", "machine_home"),
    "keyboard": ("keyboard",),
    "animals, children": ("dog_animal", "baby_human"),
    "effects": ("misc_fx", "weapon_impact"),
}
"""Kinds of noise as reported, by the categories of the corpus."""
OTHER_NOISE = "other noise"
_TALKERS = (4, 8)  # of a babble
ORDER = (
    *("plain", "reverberant", "plain", "babble", "plain", "music", "plain", "clean", "plain", "reverberant"),
    *("plain", "babble", "plain", "music", "plain", "clean", "babble", "plain", "reverberant", "music alone"),
)
"""Part of clip i is ORDER[i % 20]."""
NOISY_PARTS = ("plain", "reverberant", "babble", "music")
_RECORDED_ROOMS = 4  # every fourth reverberant clip takes a recorded room
_GOLDEN = (5**0.5 - 1) / 2
_CEILING = 0.9
_FADE = 480
_FULL_S = 180.0  # of one speaker; more does not make him more frequent
_TRIES = 12  # stretches looked at for one that is mostly speech
_REFERENCE_DB = -26.0
Signal = NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """What one clip of the test set is made of."""

    index: int
    part: str
    kind: str  # of noise
    snr_db: float  # active speech over active noise; inf without noise
    level_db: float  # of the active speech
    decay_s: float  # of the room; 0 without, -1 for a recorded one
    bandwidth_hz: float  # the speech holds nothing above
    sources: tuple[str, ...]  # recordings, speech first


@dataclass(frozen=True)
class Material:
    """The clips that may be used."""

    speech: Store
    noise: Store
    music: Store
    rooms: Store


def load_material(cache: Path, split: str, exclude_noise: tuple[str, ...] = ()) -> Material:
    """Open one split of a corpus cache.

    cache          folder written by sordino.data.cache.build_cache
    split          "valid" to choose, "test" to report
    exclude_noise  patterns of paths of noise recordings that hold speech
    raises         CorpusError if there is no cache, or no speech or noise in it
    """
    kinds = [load_store(cache, kind, split) for kind in ("speech", "noise", "music", "rir")]
    for kind, store in zip(("speech", "noise"), kinds, strict=False):
        if not store.clips:
            raise CorpusError(f"{cache} holds no {kind} of the split {split!r}; the comparison needs some")
    patterns = [re.compile(pattern) for pattern in exclude_noise]
    kept = tuple(clip for clip in kinds[1].clips if not any(p.search(clip.path) for p in patterns))
    return Material(kinds[0], Store(kinds[1].samples, kept), kinds[2], kinds[3])


def _cut(store: Store, clip: Clip, offset: int, length: int) -> Signal:
    start = clip.start + offset
    return store.samples[start : start + min(length, clip.length - offset)].astype(np.float32) / np.float32(32768)


def _faded(signal: Signal) -> Signal:
    edge = np.minimum(np.arange(1, len(signal) + 1), np.arange(len(signal), 0, -1))
    return signal * np.clip(edge / _FADE, 0, 1).astype(np.float32)


def _pick(rng: np.random.Generator, clips: list[Clip]) -> Clip:
    """Any of the clips, long ones more often."""
    length = np.array([min(clip.length, 10 * SAMPLES) for clip in clips], float)
    return clips[int(rng.choice(len(clips), p=length / length.sum()))]


def _speaker(material: Material, speakers: list[str], turn: float) -> str:
    """The speaker whose turn it is; who has much material speaks more often, up to _FULL_S."""
    seconds = [sum(c.length for c in material.speech.clips if c.speaker == s) / SAMPLE_RATE for s in speakers]
    share = np.cumsum(np.minimum(seconds, _FULL_S))
    return speakers[int(np.searchsorted(share / share[-1], turn % 1, side="right"))]


def _talk(rng: np.random.Generator, material: Material, speaker: str) -> tuple[Signal, Clip]:
    """Seven seconds of one speaker, the fullest of a few stretches."""
    clips = [clip for clip in material.speech.clips if clip.speaker == speaker]
    clips = [clip for clip in clips if clip.length >= SAMPLES] or clips
    best, found, source = -1.0, np.zeros(0, np.float32), clips[0]
    for _ in range(_TRIES):
        clip = _pick(rng, clips)
        stretch = _cut(material.speech, clip, int(rng.integers(0, max(clip.length - SAMPLES, 0) + 1)), SAMPLES)
        power = (stretch[: len(stretch) // 480 * 480].reshape(-1, 480) ** 2).mean(1)
        share = float((power > 10 ** (clip.level_db / 10) * 0.01).mean()) * len(stretch) / SAMPLES
        if share > best:
            best, found, source = share, stretch, clip
        if share > 0.6:
            break
    return _faded(np.pad(found, (0, SAMPLES - len(found)))), source


def _track(rng: np.random.Generator, store: Store, clips: list[Clip]) -> tuple[Signal, list[str]]:
    """Seven seconds of recordings one after another, all at one level."""
    out, at, used = np.zeros(SAMPLES, np.float32), 0, []
    clip = _pick(rng, clips)
    while at < SAMPLES:
        piece = _cut(store, clip, int(rng.integers(0, max(clip.length - SAMPLES, 0) + 1)), SAMPLES - at)
        out[at : at + len(piece)] = _faded(piece) * 10 ** ((_REFERENCE_DB - clip.level_db) / 20)
        at += len(piece) + int(rng.uniform(0, 0.3) * SAMPLE_RATE)
        used.append(clip.path)
        if rng.random() < 0.5:
            clip = _pick(rng, clips)
    return out, list(dict.fromkeys(used))


def _babble(rng: np.random.Generator, material: Material, speakers: list[str]) -> tuple[Signal, list[str]]:
    """Several other talkers at once."""
    fewest, most = _TALKERS
    chosen = rng.choice(speakers, min(int(rng.integers(fewest, most + 1)), len(speakers)), replace=False)
    total, used = np.zeros(SAMPLES, np.float32), []
    for speaker in chosen:
        voice, clip = _talk(rng, material, str(speaker))
        total += voice * 10 ** ((_REFERENCE_DB - clip.level_db + rng.normal(0, 2)) / 20)
        used.append(clip.path)
    return total, used


def _room(rng: np.random.Generator, material: Material, turn: int) -> tuple[Signal, float]:
    """A room's response, direct sound first, and its decay time (-1 for a recorded one)."""
    if not material.rooms.clips or turn % _RECORDED_ROOMS:
        return draw_room(rng)
    clip = material.rooms.clips[turn // _RECORDED_ROOMS % len(material.rooms.clips)]
    response = _cut(material.rooms, clip, 0, clip.length)
    response = response[int(np.abs(response).argmax()) :]
    return response / response[0], -1.0


def _convolve(signal: Signal, response: Signal) -> Signal:
    size = 1 << (len(signal) + len(response) - 1).bit_length()
    full = np.fft.irfft(np.fft.rfft(signal, size) * np.fft.rfft(response, size), size)
    return full[: len(signal)].astype(np.float32)


def _scaled(signal: Signal, power: float) -> Signal:
    return signal * np.float32(np.sqrt(power / max(active_power(signal), 1e-12)))


def _noise(
    rng: np.random.Generator, material: Material, part: str, turn: int, others: list[str]
) -> tuple[str, Signal, list[str]]:
    """The noise of one clip: kind, samples, recordings."""
    if part == "babble":
        return "babble", *_babble(rng, material, others)
    if part in ("music", "music alone"):
        clip = material.music.clips[turn % len(material.music.clips)]
        return "music", *_track(rng, material.music, [clip])
    by_kind = {
        kind: [clip for clip in material.noise.clips if clip.category in categories]
        for kind, categories in NOISE_KINDS.items()
    }
    found = {kind: clips for kind, clips in by_kind.items() if clips} or {OTHER_NOISE: list(material.noise.clips)}
    kind = list(found)[turn % len(found)]
    return kind, *_track(rng, material.noise, found[kind])


def _part(index: int, material: Material, speakers: list[str]) -> str:
    """The part whose turn it is; plain where the corpus has nothing for it."""
    part = ORDER[index % len(ORDER)]
    without = {"babble": len(speakers) <= _TALKERS[0], "music": not material.music.clips}
    return "plain" if without.get(part.split()[0]) else part


def make_clip(seed: int, index: int, material: Material, snr_db: float | None = None) -> tuple[Case, Signal, Signal]:
    """Mix one clip.

    seed      of the set
    index     of the clip
    material  what it may be made of
    snr_db    of every noisy clip; None: all of SNR_RANGE_DB in turn
    returns   what it is made of, noisy and clean, (SAMPLES,) float32 each; for music alone both are the music
    """
    rng = np.random.default_rng([seed, index])
    speakers = sorted({clip.speaker for clip in material.speech.clips})
    part = _part(index, material, speakers)
    turn = index // len(ORDER) * ORDER.count(part) + ORDER[: index % len(ORDER)].count(part)
    speaker = _speaker(material, speakers, (index + 0.5) * 2**0.5 + seed * _GOLDEN)
    level_db = float(rng.uniform(*LEVEL_RANGE_DB))
    power = 10 ** (level_db / 10)
    low, high = SNR_RANGE_DB
    if snr_db is None:
        snr_db = low + (high - low) * (((turn + 0.5) * _GOLDEN + seed * _GOLDEN**2) % 1)
    if part == "music alone":
        kind, music, used = _noise(rng, material, part, turn, [])
        music = _scaled(music, power)
        return Case(index, part, kind, -np.inf, level_db, 0, SAMPLE_RATE / 2, tuple(used)), music, music
    voice, clip = _talk(rng, material, speaker)
    clean, wet, decay_s = voice, voice, 0.0
    if part == "reverberant":
        response, decay_s = _room(rng, material, turn)
        clean, wet = _convolve(voice, early_part(response)), _convolve(voice, response)
    scale = np.float32(np.sqrt(power / max(active_power(wet), 1e-12)))
    clean, wet = clean * scale, wet * scale
    if part == "clean":
        case = Case(index, part, "none", np.inf, level_db, 0, clip.bandwidth_hz, (clip.path,))
        return case, *_guard(wet, clean)
    kind, noise, used = _noise(rng, material, part, turn, [s for s in speakers if s != speaker])
    mixture = wet + _scaled(noise, power / 10 ** (snr_db / 10))
    case = Case(index, part, kind, snr_db, level_db, decay_s, clip.bandwidth_hz, (clip.path, *used))
    return case, *_guard(mixture, clean)


def _guard(noisy: Signal, clean: Signal) -> tuple[Signal, Signal]:
    """Both turned down together where the mixture would clip."""
    factor = np.float32(min(1.0, _CEILING / max(float(np.abs(noisy).max()), 1e-9)))
    return noisy * factor, clean * factor


def set_key(seed: int, cache: Path, split: str, exclude_noise: tuple[str, ...]) -> str:
    """Name of a set: the same name, the same clips."""
    mark = json.loads((cache / "index.json").read_text())["mark"] if (cache / "index.json").is_file() else None
    return f"{split}-seed{seed}-{content(TEST_SET, json.dumps([mark, list(exclude_noise)], sort_keys=True))[:8]}"


def write_set(
    folder: Path,
    seed: int,
    count: int,
    material: Callable[[], Material],
    progress: Callable[[int], None],
    snr_db: float | None = None,
) -> list[Case]:
    """Make the clips of a set that are not there yet.

    folder    gets noisy/0000.flac, clean/0000.flac and case/0000.json
    seed      of the set
    count     clips wanted
    material  opens the corpus; called only if a clip is missing
    progress  called with the index of each clip made
    snr_db    as of make_clip
    returns   the cases in order
    """
    for name in ("noisy", "clean", "case"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    missing = [index for index in range(count) if not (folder / "case" / f"{index:04d}.json").is_file()]
    if missing:
        opened = material()
        for index in missing:
            case, noisy, clean = make_clip(seed, index, opened, snr_db)
            soundfile.write(folder / "noisy" / f"{index:04d}.flac", noisy, SAMPLE_RATE, subtype="PCM_16")
            soundfile.write(folder / "clean" / f"{index:04d}.flac", clean, SAMPLE_RATE, subtype="PCM_16")
            (folder / "case" / f"{index:04d}.json").write_text(json.dumps(asdict(case)))
            progress(index)
    return [read_case(folder / "case" / f"{index:04d}.json") for index in range(count)]


def read_case(path: Path) -> Case:
    fields = json.loads(path.read_text())
    return Case(**{**fields, "sources": tuple(fields["sources"])})
