"""Cache: a manifest goes in, decoded 48 kHz int16 clips with an index come out.

Each clip is decoded once; all clips of one kind and split lie in one flat file, so that training reads them through a
memory map and never touches a codec again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sordino.chain.params import SAMPLE_RATE

from .cleaning import clean_speech
from .clips import Clip, active_level_db
from .decode import decode
from .extras import add_extras
from .manifest import KINDS, SPLITS, manifest_sha256, read_manifest

CACHE_VERSION = 2


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
    mark = {"version": CACHE_VERSION, "manifest": manifest_sha256(manifest), "clean": clean}
    index_path = cache / "index.json"
    if index_path.exists() and json.loads(index_path.read_text())["mark"] == mark:
        return
    cache.mkdir(parents=True, exist_ok=True)
    rows = read_manifest(manifest)
    index: dict[str, list[dict[str, Any]]] = {}
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
