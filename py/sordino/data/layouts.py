"""Layouts: a folder of recordings goes in, what each file is comes out: kind, speaker, category, fixed split."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .manifest import KINDS, CorpusError, read_manifest

SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a", ".aac", ".aif", ".aiff", ".sph", ".w64", ".webm"}
KIND_NAMES = {
    "speech": {"speech", "clean", "voice", "voices", "talkers", "speakers"},
    "noise": {"noise", "noises", "ambience", "effects"},
    "music": {"music", "songs"},
    "rir": {"rir", "rirs", "ir", "irs", "impulse_responses", "rooms"},
}
"""Names of folders that say what lies below."""
_DEMAND_ROOMS = {"D": "home", "N": "nature", "O": "office", "P": "public", "S": "street", "T": "transport"}


@dataclass(frozen=True)
class Entry:
    """One file and what its place says about it."""

    path: Path
    kind: str
    speaker: str = ""
    category: str = ""  # language of speech, kind of noise
    source: str = ""  # where it is from
    split: str = ""  # empty: to be drawn
    licence: str = ""
    origin: str = ""  # the longer recording that it was cut from, where that is known


@dataclass(frozen=True)
class Layout:
    """A way of laying out files that many share."""

    name: str
    fits: Callable[[Path], bool]
    entries: Callable[[Path], list[Entry]]


def sound_files(folder: Path) -> list[Path]:
    """All sound files below a folder, hidden ones left out, sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _folders(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.is_dir() and re.fullmatch(pattern, path.name))


def _manifest(folder: Path) -> list[Entry]:
    rows = read_manifest(folder / "manifest.csv")
    return [
        Entry(
            folder / row["path"],
            row["kind"],
            row["speaker"],
            row["language_or_category"],
            row.get("source", ""),
            row["split"],
            row.get("licence", ""),
        )
        for row in rows
    ]


def _vctk_audio(folder: Path) -> list[Path]:
    return _folders(folder, r"wav48(_silence_trimmed)?")


def _vctk(folder: Path) -> list[Entry]:
    files = [path for audio in _vctk_audio(folder) for path in sound_files(audio) if "_mic2" not in path.stem]
    return [Entry(path, "speech", f"vctk-{path.parent.name}", "en", "vctk") for path in files]


def _voicebank(folder: Path) -> list[Entry]:
    found = []
    for audio in _folders(folder, r"clean_(train|test)set(_\w+)?"):
        split = "test" if "testset" in audio.name else ""
        for path in sound_files(audio):
            found.append(Entry(path, "speech", f"vctk-{path.stem.split('_')[0]}", "en", "voicebank", split))
    return found


def _librispeech(folder: Path) -> list[Entry]:
    found = []
    for part in _folders(folder, r"(train|dev|test)-(clean|other)(-\d+)?"):
        split = {"dev": "valid", "test": "test"}.get(part.name.split("-")[0], "train")
        for path in sound_files(part):
            speaker = path.relative_to(part).parts[0]
            found.append(Entry(path, "speech", f"libri-{speaker}", "en", "librispeech", split))
    return found


def _musan(folder: Path) -> list[Entry]:
    return [
        Entry(
            path,
            kind,
            f"musan-{path.stem}" if kind == "speech" else "",
            path.relative_to(folder / kind).parts[0],
            "musan",
        )
        for kind in ("speech", "noise", "music")
        for path in sound_files(folder / kind)
    ]


def _demand(folder: Path) -> list[Entry]:
    return [
        Entry(path, "noise", "", _DEMAND_ROOMS[path.parent.name[0]], f"demand-{path.parent.name}")
        for room in _folders(folder, r"[DNOPST][A-Z]{3,}")
        for path in sound_files(room)
        if path.stem == "ch01"
    ]


def _dns_root(folder: Path) -> Path | None:
    """The folder that holds clean* and noise*, this one or datasets*/ in it."""
    for root in (folder, *_folders(folder, r"datasets(_fullband)?")):
        if _folders(root, r"clean(_fullband)?") and _folders(root, r"noise(_fullband)?"):
            return root
    return None


def _dns(folder: Path) -> list[Entry]:
    root = _dns_root(folder) or folder
    found = []
    for audio in _folders(root, r"clean(_fullband)?"):
        for path in sound_files(audio):
            reader = re.search(r"reader_(\d+)", path.stem) or re.match(r"(p\d{3})_", path.stem)
            parts = path.relative_to(audio).parts
            name = reader[1] if reader else "-".join(parts[:-1]) or path.stem
            speaker = f"vctk-{name}" if re.fullmatch(r"p\d{3}", name) else f"dns-{name}"
            found.append(Entry(path, "speech", speaker, parts[0] if len(parts) > 1 else "", "dns"))
    for audio in _folders(root, r"noise(_fullband)?"):
        found += [Entry(path, "noise", "", "", "dns") for path in sound_files(audio)]
    for audio in _folders(root, r"impulse_responses"):
        found += [Entry(path, "rir", "", "", "dns") for path in sound_files(audio)]
    return found


def _kind_of(path: Path, folder: Path) -> str:
    """Kind by the nearest folder whose name says it; empty if none does."""
    for part in reversed((folder.name, *path.relative_to(folder).parts[:-1])):
        for kind, names in KIND_NAMES.items():
            if part.lower() in names:
                return kind
    return ""


def _named(folder: Path) -> list[Entry]:
    """Folders called speech, noise, music, rir; below speech, a folder per speaker or loose files, one speaker each."""
    found = []
    for path in sound_files(folder):
        kind = _kind_of(path, folder)
        above = path.parent.name
        said = any(above.lower() in names for names in KIND_NAMES.values()) or path.parent == folder
        if kind == "speech":
            found.append(Entry(path, kind, path.stem if said else above, "", folder.name))
        elif kind:
            found.append(Entry(path, kind, "", "" if said else above, folder.name))
    return found


LAYOUTS = (
    Layout("manifest", lambda f: (f / "manifest.csv").is_file(), _manifest),
    Layout("VoiceBank+DEMAND", lambda f: bool(_folders(f, r"clean_(train|test)set(_\w+)?")), _voicebank),
    Layout("VCTK", lambda f: bool(_vctk_audio(f)), _vctk),
    Layout(
        "LibriTTS or LibriSpeech", lambda f: bool(_folders(f, r"(train|dev|test)-(clean|other)(-\d+)?")), _librispeech
    ),
    Layout(
        "MUSAN", lambda f: all((f / kind).is_dir() for kind in ("speech", "noise", "music")) and _is_musan(f), _musan
    ),
    Layout("DNS-Challenge", lambda f: _dns_root(f) is not None, _dns),
    Layout(
        "DEMAND", lambda f: any((room / "ch01.wav").is_file() for room in _folders(f, r"[DNOPST][A-Z]{3,}")), _demand
    ),
    Layout("folders by kind", lambda f: any(_kind_of(path, f) for path in sound_files(f)), _named),
)
"""The first that fits is taken."""


def _is_musan(folder: Path) -> bool:
    return folder.name.lower() == "musan" or bool(list((folder / "noise").glob("*/noise-*.wav")))


def recognise(folder: Path, kind: str = "") -> tuple[str, list[Entry]]:
    """What a folder holds.

    folder   of recordings
    kind     what all of them are, whatever their names; empty: told from the layout
    returns  name of the layout and the files
    raises   CorpusError if the folder is missing or holds no sound, or its layout is not known
    """
    if not folder.is_dir():
        raise CorpusError(f"no folder {folder}")
    if kind:
        if kind not in KINDS:
            raise CorpusError(f"kind is {kind!r}, wanted one of {', '.join(KINDS)}")
        files = sound_files(folder)
        loose = [Entry(p, kind, _speaker_below(p, folder) if kind == "speech" else "", "", folder.name) for p in files]
        name, found = f"all {kind}", loose
    else:
        layout = next((layout for layout in LAYOUTS if layout.fits(folder)), None)
        if layout is None:
            known = ", ".join(layout.name for layout in LAYOUTS)
            raise CorpusError(
                f"{folder}: cannot tell speech from noise here; known layouts: {known}. Name a folder in it speech, "
                "noise, music or rir, or say what it holds, for example --speech FOLDER"
            )
        name, found = layout.name, layout.entries(folder)
    if not found:
        raise CorpusError(f"{folder} ({name}) holds no sound files ({', '.join(sorted(SUFFIXES))})")
    return name, found


def _speaker_below(path: Path, folder: Path) -> str:
    """The first folder below, or the file itself where it lies loose."""
    parts = path.relative_to(folder).parts
    return parts[0] if len(parts) > 1 else path.stem
