"""Steps: each notes the hash of what it read and wrote, so that a second run does nothing twice.

Why not Make, Ninja or a package's build back end: this runs with Python alone, before anything is installed, and what
it runs is of many kinds: .venv, npm, Zig's clang, the export of weights, bundles, the page. Hashes instead of times of
files: a checkout or another branch has new times and mostly the same content.
"""

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from builder.paths import BUILD, ROOT

MADE = {"__pycache__", "node_modules"}
"""Folders in which nobody writes by hand."""


class Failure(Exception):
    """A step could not be done; the message says what was wanted and what to do."""


def files_under(paths: Iterable[Path]) -> list[Path]:
    """All files at or below the paths but installed and cached ones, sorted; missing paths give nothing."""
    found: set[Path] = set()
    for path in paths:
        inside = path.rglob("*") if path.is_dir() else [path]
        found.update(file for file in inside if file.is_file() and not MADE.intersection(file.parts))
    return sorted(found)


def digest(paths: Iterable[Path], *notes: str) -> str:
    """A hash over names and contents of the files at or below the paths, and over the notes."""
    total = hashlib.sha256(json.dumps(notes).encode())
    for file in files_under(paths):
        total.update(f"{file.relative_to(ROOT)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def step(name: str, action: Callable[[], None], inputs: Iterable[Path], outputs: Iterable[Path], *notes: str) -> None:
    """Do `action` unless its inputs, its outputs and the notes are as it left them; print how long it took.

    name     of the step, printed and the name of its stamp in build/stamps
    inputs   files or folders that it reads
    outputs  files or folders that it leaves
    notes    what else decides about its outputs, such as flags and versions
    raises   Failure if an output is missing afterwards; whatever `action` raises
    """
    inputs, outputs = list(inputs), list(outputs)
    stamp = BUILD / "stamps" / re.sub(r"\W+", "-", name)
    before = digest(inputs, *notes)
    complete = all(output.exists() for output in outputs)
    if complete and stamp.is_file() and stamp.read_text() == f"{before} {digest(outputs)}":
        print(f"{name:<28} up to date", flush=True)
        return
    stamp.unlink(missing_ok=True)
    timed(name, action)
    absent = [str(output.relative_to(ROOT)) for output in outputs if not output.exists()]
    if absent:
        raise Failure(f"{name} ended well but left no {', '.join(absent)}")
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(f"{before} {digest(outputs)}")


def timed(name: str, action: Callable[[], None]) -> None:
    """Do `action`; print how long it took."""
    print(f"{name:<28} ...", end="", flush=True)
    start = time.monotonic()
    action()
    print(f" {time.monotonic() - start:.1f} s", flush=True)
