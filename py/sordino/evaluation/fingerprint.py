"""Fingerprint: source files and data go in, a short text that changes when what they compute may change comes out."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path

LENGTH = 16
HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parent
SCORING = (HERE / "measures.py", HERE / "scoring.py", HERE / "metrics.py")
"""Sources that decide a score."""
TEST_SET = (HERE / "testset.py", HERE / "rooms.py")
"""Sources that decide the clips of a seeded set."""
VOICES = (HERE / "voices.py",)
"""Sources that decide them where voices have another speed."""


def content(paths: Iterable[Path], *notes: str) -> str:
    """Over the contents of files and over the notes. Of Python only the code counts, not comments and layout."""
    total = hashlib.sha256("\0".join(notes).encode())
    for path in paths:
        data = path.read_bytes()
        total.update(ast.dump(ast.parse(data)).encode() if path.suffix == ".py" else data)
    return total.hexdigest()[:LENGTH]
