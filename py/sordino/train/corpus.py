"""Corpus: a manifest of recordings goes in, decoded 48 kHz int16 caches with an index come out.

A manifest is a CSV with the columns path, split, kind (speech, noise, music, rir), speaker,
language_or_category, seconds, eff_bw_hz and snr_est_db; other columns are kept as text.  Each clip is
decoded once; all clips of one kind and split lie in one flat file, so that training reads them through
a memory map and never touches a codec again.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sordino.train.cleaning import clean_speech

SAMPLE_RATE = 48000
KINDS = ("speech", "noise", "music", "rir")
SPLITS = ("train", "valid", "test")
CODED_PREFIX = "coded-"
CODED = (f"{CODED_PREFIX}speech", f"{CODED_PREFIX}noise")
ROOM = "room"
SYNTHETIC_PREFIX = "synthetic-"
SYNTHETIC = (f"{SYNTHETIC_PREFIX}noise", f"{SYNTHETIC_PREFIX}music")
STORES = (*KINDS, *CODED, ROOM, *SYNTHETIC)
"""What a cache may hold of a split: the decoded clips, and what sordino.train.extras makes of and beside them."""
ADVICE = "`python -m sordino.train.extras CACHE` adds them"
REQUIRED = ("path", "split", "kind", "speaker", "language_or_category", "eff_bw_hz", "snr_est_db")
CACHE_VERSION = 2
EXTRAS = "extras.json"


class CorpusError(ValueError):
    """The corpus cannot be read: says which file or column, what was found and what was wanted."""


@dataclass(frozen=True)
class Clip:
    """One decoded recording inside a flat cache file."""

    path: str  # as in the manifest
    start: int  # first sample in the flat file
    length: int  # samples at 48 kHz
    speaker: str  # a label, empty for noise
    category: str  # language of speech, kind of noise
    bandwidth_hz: float  # content ends here
    snr_db: float  # estimated signal to noise ratio of the recording, nan where unknown
    level_db: float  # mean power of the active 20 ms frames, dB re full scale
    voice_share: float = math.nan  # of noise: how much of it a detector takes for speech, nan where it was not asked


@dataclass(frozen=True)
class Store:
    """Every clip of one kind and split: samples (int16, flat) and where each clip lies in them."""

    samples: NDArray[np.int16]
    clips: tuple[Clip, ...]

    def seconds(self) -> float:
        """Return the total duration in seconds."""
        return sum(clip.length for clip in self.clips) / SAMPLE_RATE


@dataclass(frozen=True)
class Sound:
    """Samples that are made to be one more clip, and what is known about them; where they start is not, yet."""

    samples: NDArray[np.int16]
    facts: Clip


def manifest_sha256(manifest: Path) -> str:
    """Return the hex SHA-256 of the manifest file, which names the data a checkpoint saw."""
    return hashlib.sha256(manifest.read_bytes()).hexdigest()


def read_manifest(manifest: Path) -> list[dict[str, str]]:
    """Read the rows of a corpus manifest.

    manifest  a CSV file; paths in it are relative to its folder
    returns   one dict per clip, every value text
    raises    CorpusError if the file or a required column is missing, or a kind or split is unknown
    """
    if not manifest.is_file():
        raise CorpusError(f"no manifest at {manifest}")
    with manifest.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        missing = [name for name in REQUIRED if name not in (reader.fieldnames or [])]
        if missing:
            raise CorpusError(f"{manifest}: columns {missing} missing, got {reader.fieldnames}")
        rows = list(reader)
    for line, row in enumerate(rows, start=2):
        if row["kind"] not in KINDS or row["split"] not in SPLITS:
            raise CorpusError(f"{manifest}:{line}: kind {row['kind']!r} or split {row['split']!r} unknown")
    return rows


def decode(path: Path, first_channel: bool = False) -> NDArray[np.int16]:
    """Decode an audio file to 48 kHz mono.

    path           any file that ffmpeg reads, or libsndfile where there is no ffmpeg
    first_channel  take channel 0 instead of the mean of all (impulse responses)
    returns        (n,) int16
    raises         CorpusError with the decoder's words
    """
    if shutil.which("ffmpeg"):
        mix = ["-af", "pan=mono|c0=c0"] if first_channel else ["-ac", "1"]
        command = ["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-i", str(path), *mix]
        command += ["-ar", str(SAMPLE_RATE), "-f", "s16le", "-"]
        result = subprocess.run(command, capture_output=True, check=False)
        if result.returncode or not result.stdout:
            raise CorpusError(f"{path}: ffmpeg: {result.stderr.decode(errors='replace').strip()}")
        return np.frombuffer(result.stdout, np.int16)
    import soundfile
    import soxr

    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise CorpusError(f"{path}: {error}") from error
    mono = audio[:, 0] if first_channel else audio.mean(1)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE)
    return np.clip(np.round(mono * 32768), -32768, 32767).astype(np.int16)


def active_level_db(samples: NDArray[np.int16]) -> float:
    """Return the mean power, in dB re full scale, of the 20 ms frames within 30 dB of the loudest."""
    count = len(samples) // 960
    frames = samples[: count * 960].reshape(count, 960).astype(np.float32) / 32768
    power = (frames**2).mean(1) if count else np.zeros(1, np.float32)
    active = power[power >= power.max() * 1e-3]
    return float(10 * np.log10(active.mean() + 1e-10))


def _number(text: str, default: float) -> float:
    return float(text) if text else default


def build_cache(manifest: Path, cache: Path, clean: bool = True, report: Callable[[str], None] = print) -> None:
    """Decode every clip of a manifest into cache/KIND-SPLIT.i16, write cache/index.json, and add the extras.

    manifest  as in read_manifest
    cache     folder, made when missing; a finished cache of the same manifest is kept as it is
    clean     remove the stationary noise floor of speech clips (see cleaning)
    report    gets one line of progress per kind and split
    raises    CorpusError if a clip cannot be read
    """
    from sordino.train.extras import add_extras  # it reads caches, with what is defined here

    mark = {"version": CACHE_VERSION, "manifest": manifest_sha256(manifest), "clean": clean}
    index_path = cache / "index.json"
    if index_path.exists() and json.loads(index_path.read_text())["mark"] == mark:
        return
    cache.mkdir(parents=True, exist_ok=True)
    rows = read_manifest(manifest)
    index: dict[str, list[dict]] = {}
    for kind in KINDS:
        for split in SPLITS:
            chosen = [row for row in rows if row["kind"] == kind and row["split"] == split]
            if not chosen:
                continue
            name = f"{kind}-{split}"
            # References that scores are measured against stay as recorded: only training targets are cleaned.
            clips = _decode_all(manifest.parent, chosen, cache / f"{name}.i16", clean and split == "train")
            index[name] = [asdict(clip) for clip in clips]
            hours = sum(clip.length for clip in clips) / SAMPLE_RATE / 3600
            report(f"corpus: {name}: {len(clips)} clips, {hours:.2f} h")
    part = index_path.with_suffix(".part")
    part.write_text(json.dumps({"mark": mark, "stores": index}))
    os.replace(part, index_path)
    add_extras(cache, report)


def _decode_all(root: Path, rows: list[dict[str, str]], target: Path, clean: bool) -> list[Clip]:
    """Decode rows into one flat file; return their clips.  Clips shorter than 20 ms are left out."""
    clips: list[Clip] = []
    start = 0
    with target.open("wb") as stream:
        for row in rows:
            samples = decode(root / row["path"], first_channel=row["kind"] == "rir")
            if len(samples) < 960:
                continue
            if clean and row["kind"] == "speech":
                samples = clean_speech(samples)
            samples.tofile(stream)
            clips.append(
                Clip(
                    row["path"],
                    start,
                    len(samples),
                    row["speaker"],
                    row["language_or_category"],
                    _number(row["eff_bw_hz"], SAMPLE_RATE / 2),
                    _number(row["snr_est_db"], float("nan")),
                    active_level_db(samples),
                )
            )
            start += len(samples)
    return clips


def _clips_of(cache: Path, name: str) -> tuple[Clip, ...]:
    """What the index, and that of the extras where it belongs to this cache, say about a flat file."""
    index_path = cache / "index.json"
    if not index_path.is_file():
        raise CorpusError(f"no cache index at {index_path}: run build_cache first")
    index = json.loads(index_path.read_text())
    extras: dict[str, Any] = {"stores": {}}
    if (cache / EXTRAS).is_file():
        found = json.loads((cache / EXTRAS).read_text())
        extras = found if found["mark"] == index["mark"] else extras
    clips = (Clip(**entry) for entry in (index["stores"] | extras["stores"]).get(name, []))
    shares = extras.get("voices", {}).get(name.removeprefix(CODED_PREFIX), {})
    return tuple(replace(clip, voice_share=shares.get(clip.path, math.nan)) for clip in clips)


def load_store(cache: Path, kind: str, split: str) -> Store:
    """Open one kind and split of a cache; an absent one gives an empty store.

    cache    folder written by build_cache
    kind     one of STORES
    split    one of SPLITS
    returns  Store over a read-only memory map
    raises   CorpusError if there is no cache or a flat file has the wrong size
    """
    clips = _clips_of(cache, f"{kind}-{split}")
    if not clips:
        return Store(np.zeros(0, np.int16), ())
    path = cache / f"{kind}-{split}.i16"
    wanted = clips[-1].start + clips[-1].length
    samples = np.memmap(path, np.int16, mode="r")
    if len(samples) != wanted:
        raise CorpusError(f"{path}: got {len(samples)} samples, index says {wanted}")
    return Store(samples, clips)
