"""Manifest: a CSV file goes in, one row for each recording comes out.

A manifest has the columns path, split, kind (speech, noise, music, rir), speaker, language_or_category, seconds,
eff_bw_hz and snr_est_db; other columns are kept as text.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

KINDS = ("speech", "noise", "music", "rir")
SPLITS = ("train", "valid", "test")
REQUIRED = ("path", "split", "kind", "speaker", "language_or_category", "eff_bw_hz", "snr_est_db")


class CorpusError(ValueError):
    """The corpus cannot be read: says which file or column, what was found and what was wanted."""


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
