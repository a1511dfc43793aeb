"""Traits: the clips of a set go in, how high each voice is and which family of languages it speaks come out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from sordino.chain.params import HOP, SAMPLE_RATE
from sordino.data.clips import load_store
from sordino.run.api import Denoiser

from .testset import Case

HIGH_HZ = 165.0
"""Median pitch between most men's voices and most women's; children's are above."""
LOW, HIGH, UNKNOWN = "low voices", "high voices", "unknown"
FAMILIES = {
    "English": "en",
    "other Germanic": "af da de fy is lb nb nds nl nn no sv",
    "Romance": "ast ca es fr gl it oc pt ro wa",
    "Slavic, Baltic": "be bg cs hr lt lv mk pl ru sk sl sr uk",
    "Indo-Iranian": "bn fa gu hi kmr ku mr ne pa ps si ur",
    "East and South-East Asian": "id ja ko ms th vi yue zh",
    "Semitic, Turkic": "am ar az he kk mt tr",
    "other languages": "br cy el eo eu fi et ga gd ha hu hy ka kn lg ml sw ta te tn tok zu",
}
"""Families as reported, by the codes of ISO 639 that the corpus calls a language by."""
_PERIODIC = 0.7
_FAINT = 0.003  # part of the loudest hop's power
_FEWEST_HOPS = 30


@dataclass(frozen=True)
class Traits:
    """Of the voice of a clip: LOW, HIGH or UNKNOWN, and one of FAMILIES or UNKNOWN."""

    pitch: str
    language: str


def family(code: str) -> str:
    """The family of a language such as "pt_BR"; UNKNOWN where it is no language that is known."""
    stem = code.replace("-", "_").split("_")[0].split()[0] if code.strip() else ""
    return next((name for name, codes in FAMILIES.items() if stem in codes.split()), UNKNOWN)


def median_pitch_hz(clean: NDArray[np.float32]) -> float:
    """Median pitch of the periodic hops of a clean recording (n,) float32 at 48 kHz; nan where there are hardly any."""
    listener = Denoiser(SAMPLE_RATE)
    hops = clean[: len(clean) // HOP * HOP].reshape(-1, HOP)
    power = (hops**2).mean(1)
    late = listener.latency // HOP
    found = []
    for now, hop in enumerate(hops):
        listener.process(hop)
        decision = listener.decisions[0]
        loud = power[max(now - late, 0)] > _FAINT * power.max()
        if loud and decision.pitch_correlation > _PERIODIC:
            found.append(SAMPLE_RATE / decision.pitch_period)
    return float(np.median(found)) if len(found) >= _FEWEST_HOPS else float("nan")


def languages(cache: Path, split: str) -> dict[str, str]:
    """Language of each recording of speech of a split, by its path."""
    return {clip.path: clip.category for clip in load_store(cache, "speech", split).clips}


def traits_of(folder: Path, cases: Iterable[Case], spoken: dict[str, str]) -> dict[int, Traits]:
    """Traits of the voices of a set, by index.

    folder   of the set
    cases    of it; those without a voice are left out
    spoken   language by the recording that a case names first
    """
    found = {}
    for case in cases:
        if case.part == "music alone":
            continue
        clean, _ = soundfile.read(folder / "clean" / f"{case.index:04d}.flac", dtype="float32")
        pitch = median_pitch_hz(clean)
        height = UNKNOWN if np.isnan(pitch) else HIGH if pitch >= HIGH_HZ else LOW
        source = case.sources[0] if case.sources else ""
        found[case.index] = Traits(height, family(spoken.get(source, "")))
    return found
