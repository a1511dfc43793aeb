"""What is to be made from what: files, folders and patterns become jobs, and what is passed over is named."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import soundfile

from .riff_header import W64_RIFF
from .sound import AudioError
from .writing import OUTPUT_FORMATS

MORE_SUFFIXES = """
.3ga .3gp .3gpp .aac .ac3 .aif .aifc .alac .amr .ape .asf .avi .awb .bwf .dts .f4a .f4v .flv .gsm .m2ts .m4a .m4b .m4r
.m4v .mka .mkv .mov .mp2 .mp4 .mpa .mpc .mpeg .mpg .mts .oga .ogm .ogv .opus .qt .ra .rf64 .rm .snd .spx .tta .vob .wave
.weba .webm .wma .wmv .wv
"""
SOUND_SUFFIXES = frozenset(
    [f".{name.lower()}" for name in soundfile.available_formats() if name != "RAW"] + MORE_SUFFIXES.split()
)
"""What is taken from a folder, with what begins as sound does; a file that is named itself may end in anything."""
BEGINNINGS = (b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"\x1aE\xdf\xa3", b"#!AMR", b"MAC ", b"wvpk", W64_RIFF)
SOUND_BOXES = (b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso5", b"iso6", b"qt  ", b"dash", b"3gp4", b"3gp5")
APPLE_DOUBLE = "._"


@dataclass(frozen=True)
class Job:
    """One file to make; make_folder: also the folder it goes into."""

    source: Path
    target: Path
    make_folder: bool = False


@dataclass
class Plan:
    """What there is to do.

    jobs      files to make
    unread    what is or may be sound and cannot be taken, with the reason
    no_sound  files in the folders that are something else
    """

    jobs: list[Job] = field(default_factory=list)
    unread: list[tuple[Path, str]] = field(default_factory=list)
    no_sound: list[Path] = field(default_factory=list)


def plan(sources: Iterable[str | Path], target: Path) -> Plan:
    """Which files are made from which.

    sources  files, folders (searched to the bottom) and glob patterns
    target   the file for a single source file; for everything else a folder, made where it is missing
    raises   FileNotFoundError for a source that does not exist, AudioError where two results would have one name
    """
    sources, found = list(sources), Plan()
    only = Path(sources[0]) if len(sources) == 1 else None
    if only and not only.is_dir() and not target.is_dir() and not _is_pattern(sources[0]):
        found.jobs = [Job(only, target)]
        return found
    if target.exists() and not target.is_dir():
        raise AudioError(f"{target} is a file, wanted a folder for the results of several files")
    if not target.exists() and target.suffix.lower() in OUTPUT_FORMATS:
        raise AudioError(f"{target} names one file, wanted a folder for the results of several files")
    jobs = [Job(file, target / _result_name(name), True) for s in sources for file, name in _find(s, target, found)]
    if not jobs:
        seen = [path for path, _ in found.unread] + found.no_sound
        but = f" (only {', '.join(map(str, seen[:5]))}{' and others' if len(seen) > 5 else ''})" if seen else ""
        raise FileNotFoundError(f"no sound files in {', '.join(map(str, sources))}{but}")
    taken: dict[Path, Path] = {}
    for job in jobs:
        other = taken.setdefault(job.target.absolute(), job.source)
        if other.absolute() != job.source.absolute():
            raise AudioError(f"{other} and {job.source} would both become {job.target}")
        if job.target.exists() and job.target.samefile(job.source):
            raise AudioError(f"{job.target} is the source itself, wanted another folder")
    found.jobs = list({job.target: job for job in jobs}.values())
    return found


def _is_pattern(source: str | Path) -> bool:
    return glob.has_magic(str(source)) and not Path(source).exists()


def _find(source: str | Path, target: Path, found: Plan) -> list[tuple[Path, Path]]:
    """(file, its path below the target), sorted; notes what is passed over."""
    path = Path(source)
    if path.is_dir():
        inside = [p for p in _walk(path, target, found) if _takes(p, found)]
        return [(p, p.relative_to(path)) for p in sorted(inside)]
    if _is_pattern(source):
        matches = sorted(p for p in map(Path, glob.glob(str(source), recursive=True)) if p.is_file())
        if not matches:
            raise FileNotFoundError(f"no file matches {source}")
        return [(p, Path(p.name)) for p in matches]
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    return [(path, Path(path.name))]


def _walk(top: Path, target: Path, found: Plan) -> Iterable[Path]:
    """Everything below a folder that is no folder, but for the results."""

    def fail(error: OSError) -> None:
        found.unread.append((Path(error.filename), f"cannot be looked into ({error.strerror})"))

    wanted = target.absolute()
    for folder, folders, files in os.walk(top, onerror=fail):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if (here / name).absolute() != wanted)
        if here.absolute() != wanted:
            yield from (here / name for name in files)


def _takes(path: Path, found: Plan) -> bool:
    """Whether a file of a folder is sound, by its name or its beginning; notes it where it is not taken."""
    if path.name.startswith(APPLE_DOUBLE) or path.name.endswith(".partial"):
        return False
    named = path.suffix.lower() in SOUND_SUFFIXES
    if not path.is_file():
        if named:
            reason = "is a link to nothing" if path.is_symlink() else "is no regular file"
            found.unread.append((path, reason))
        return False
    try:
        sound = named or _begins_as_sound(path)
    except OSError as error:
        found.unread.append((path, f"cannot be read ({error.strerror})"))
        return False
    if path.name.startswith("."):
        if sound:
            found.unread.append((path, "is hidden"))
        return False
    if not sound:
        found.no_sound.append(path)
    return sound


def _begins_as_sound(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(16)
    riff = head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE"
    aiff = head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC")
    return riff or aiff or head.startswith(BEGINNINGS) or (head[4:8] == b"ftyp" and head[8:12] in SOUND_BOXES)


def _result_name(relative: Path) -> Path:
    if relative.suffix.lower() in OUTPUT_FORMATS:
        return relative
    return relative.with_suffix(".wav") if relative.suffix.lower() in SOUND_SUFFIXES else _appended(relative)


def _appended(relative: Path) -> Path:
    """For a name whose ending says nothing of its kind, such as a date."""
    return relative.with_name(f"{relative.name}.wav")


def refuse_existing(jobs: list[Job]) -> None:
    """Raises FileExistsError, before anything is done, where a target exists."""
    existing = [job.target for job in jobs if job.target.exists()]
    if len(jobs) == 1 and existing:
        raise FileExistsError(f"{existing[0]} exists; --force overwrites it")
    if existing:
        hint = "--resume keeps what is complete, --force makes all anew"
        raise FileExistsError(f"{len(existing)} of {len(jobs)} targets exist, such as {existing[0]}; {hint}")
