"""Folders: folders of clean, noisy and enhanced recordings of the same names go in, a set of clips comes out."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE

from .fingerprint import content
from .measures import active_power, find_lag, shift
from .running import MOST_LAG, Manner
from .testset import Case, read_case

SUFFIXES = (".wav", ".flac", ".ogg")
_SAME_DB = 80.0  # noise so far below the speech is none
Signal = NDArray[np.float32]


class FolderError(ValueError):
    """The folders do not fit together; the message says where."""


def by_name(folder: Path) -> dict[str, Path]:
    """Sound files of a folder by their path in it without the suffix.

    raises  FolderError if there is no such folder, no sound in it, or two files of one name
    """
    if not folder.is_dir():
        raise FolderError(f"no folder {folder}")
    found: dict[str, Path] = {}
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise FolderError(f"{path} and {found[name]} have the same name")
        found[name] = path
    if not found:
        raise FolderError(f"{folder} holds no sound files ({', '.join(SUFFIXES)})")
    return found


def read(path: Path) -> Signal:
    """A recording at 48 kHz, channels averaged. Raises FolderError if it cannot be read or is empty."""
    import soxr

    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise FolderError(f"{path}: {error.error_string}") from error
    if not len(samples):
        raise FolderError(f"{path} is empty")
    return np.asarray(soxr.resample(samples.mean(1), rate, SAMPLE_RATE), np.float32)


def partners(names: list[str], folder: Path) -> dict[str, Path]:
    """The folder's recordings of these names. Raises FolderError naming one that is missing."""
    found = by_name(folder)
    missing = sorted(set(names) - found.keys())
    if missing:
        raise FolderError(f"{folder} lacks {len(missing)} of {len(names)} recordings, for example {missing[0]}")
    return found


def folder_set(work: Path, clean: Path, noisy: Path) -> tuple[str, Path, list[Case]]:
    """Make a set of clips of two folders.

    work     gets the set under sets/
    clean    recordings of clean speech
    noisy    the same names
    returns  key, folder and cases as of a seeded set; every case is plain, or clean where noisy and clean are alike
    raises   FolderError
    """
    references = by_name(clean)
    mixtures = partners(list(references), noisy)
    key = f"folder-{content([*references.values(), *(mixtures[name] for name in references)], *references)}"
    folder = work / "sets" / key
    for kind in ("noisy", "clean", "case"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(references):
        if not (folder / "case" / f"{index:04d}.json").is_file():
            _write(folder, index, name, read(references[name]), read(mixtures[name]))
    return key, folder, [read_case(folder / "case" / f"{index:04d}.json") for index in range(len(references))]


def _write(folder: Path, index: int, name: str, clean: Signal, noisy: Signal) -> None:
    noisy = shift(noisy, 0, len(clean))
    speech, noise = (max(active_power(x), 1e-20) for x in (clean, noisy - clean))
    snr_db, level_db = 10 * math.log10(speech / noise), 10 * math.log10(speech)
    alike = snr_db > _SAME_DB
    part, snr_db = ("clean", math.inf) if alike else ("plain", snr_db)
    for kind, samples in (("noisy", noisy), ("clean", clean)):
        soundfile.write(folder / kind / f"{index:04d}.flac", np.clip(samples, -1, 1), SAMPLE_RATE, subtype="PCM_16")
    case = Case(index, part, "none" if alike else "noise", snr_db, level_db, 0.0, SAMPLE_RATE / 2, (name,))
    (folder / "case" / f"{index:04d}.json").write_text(json.dumps(asdict(case)))


def lay_out(folder: Path, clips: Path, cases: list[Case], out: Path) -> Manner:
    """Bring enhanced recordings into the form of a system's outputs, each with its lag of up to 200 ms undone.

    folder   recordings of the names that the cases name first
    clips    folder of the set
    cases    clips wanted
    out      gets 0000.flac of each
    returns  median of the lags; what it cost to make them is not known
    raises   FolderError
    """
    found = partners([case.sources[0] for case in cases], folder)
    lags = []
    for case in cases:
        reference, _ = soundfile.read(clips / "clean" / f"{case.index:04d}.flac", dtype="float32")
        judged = read(found[case.sources[0]])
        lags.append(find_lag(reference, judged, MOST_LAG))
        aligned = np.clip(shift(judged, lags[-1], len(reference)), -1, 1)
        soundfile.write(out / f"{case.index:04d}.flac", aligned, SAMPLE_RATE, subtype="PCM_16")
    return Manner(int(np.median(lags)), math.nan)
