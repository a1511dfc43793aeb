"""Strangers: real pairs and read sentences of voices that no model has met go in, every system's scores come out.

The test split of the corpus shares its kind of voices and rooms with training; these do not, so they tell better what
a user will hear.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sordino.data.manifest import CorpusError

from . import report
from .comparison import ClipSet, Comparison, Place, seeded_set
from .folders import folder_set
from .options import ClipOptions
from .systems import System
from .traits import languages, traits_of


@dataclass(frozen=True)
class Strangers:
    """Which sets are wanted.

    clean, noisy  folders of real pairs; None: without
    sentences     pattern of the paths of read sentences in the corpus; empty: without
    count         mixtures of these
    """

    clean: Path | None = None
    noisy: Path | None = None
    sentences: str = ""
    count: int = 60


@dataclass(frozen=True)
class Part:
    """A set of clips, and what the report says about it."""

    title: str
    about: str
    clips: ClipSet


def parts(wanted: Strangers, options: ClipOptions) -> Iterator[Part]:
    """The sets that are wanted and can be had. raises FolderError"""
    if wanted.clean and wanted.noisy:
        clips = ClipSet(*folder_set(options.out, wanted.clean, wanted.noisy))
        count = f"{len(clips.cases)} recordings"
        yield Part("Real pairs", f"{count} of real voices in real noise, set {clips.key}.", clips)
    if wanted.sentences:
        where = (options.out, options.cache, options.split, options.seed, wanted.count)
        try:
            clips = seeded_set(*where, speech=wanted.sentences)
        except CorpusError as error:
            print(f"read sentences: LEFT OUT: {error}")
            return
        about = f"{len(clips.cases)} mixtures of recordings whose paths match `{wanted.sentences}`, set {clips.key}."
        yield Part("Read sentences of unseen speakers", about, clips)


def compare(
    wanted: Strangers, options: ClipOptions, systems: list[System], place: Place, pool: Any
) -> list[dict[str, Any]]:
    """Score systems on each set.

    systems  the noisy input first; those that hear a part of the clips only are left out
    returns  per set what report.collect returns, its title and what it is about
    """
    spoken = languages(options.cache, options.split)
    found = []
    for part in parts(wanted, options):
        print(part.title, flush=True)
        chosen = [system for system in systems if not system.first]
        results, missing = Comparison(part.clips, place, pool).all(chosen)
        voices = traits_of(part.clips.folder, part.clips.cases, spoken)
        facts = {"title": part.title, "about": part.about, "set": part.clips.key}
        found.append(report.collect(results, part.clips.cases, missing, facts, voices=voices))
    return found
