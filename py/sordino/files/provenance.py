"""What a result was made of, noted beside it, so that `--resume` knows whether it is still the one that is wanted.

The note is an extended attribute of the result, which goes with it and leaves no other trace; where the file system has
none it is a small file in the user's state folder, named by a hash of the result's path.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sordino.chain.params import VERSION
from sordino.formats.shipped import find_model, load_weights

from .audio import Treatment

ATTRIBUTE = "user.sordino.made"


@dataclass(frozen=True)
class Record:
    """What makes a result what it is.

    source    bytes and time of change (ns) of the source
    settings  a hash of all that decides about the samples
    result    bytes and time of change (ns) of the result, as it was left
    fault     what was missing in the source, if anything was
    """

    source: tuple[int, int]
    settings: str
    result: tuple[int, int]
    fault: str | None = None


def settings_key(treatment: Treatment) -> str:
    """A hash of weights, options and version; the same for every engine, for they give the same bytes."""
    model = find_model(str(treatment.model)) if not isinstance(treatment.model, Path) else treatment.model
    try:
        weights = load_weights(model)
    except (ValueError, OSError, RuntimeError):
        weights = Path(model).read_bytes()
    facts = [VERSION, hashlib.sha256(weights).hexdigest(), asdict(treatment.settings), treatment.linked]
    far_end = None if treatment.far_end is None else stamp(treatment.far_end)
    return hashlib.sha256(json.dumps([*facts, treatment.look_ahead, far_end]).encode()).hexdigest()


def stamp(path: Path) -> tuple[int, int]:
    """Bytes and time of change in ns."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def note(target: Path, source: tuple[int, int], settings: str, fault: str | None) -> None:
    """Note what a result was made of. raises OSError where neither place can be written"""
    data = json.dumps(asdict(Record(source, settings, stamp(target), fault))).encode()
    try:
        os.setxattr(target, ATTRIBUTE, data)
    except (OSError, AttributeError):
        place = _place(target)
        place.parent.mkdir(parents=True, exist_ok=True)
        growing = place.with_suffix(f".{os.getpid()}")
        growing.write_bytes(data)
        growing.replace(place)


def recall(target: Path) -> Record | None:
    """What was noted, if anything was and the result has not been changed since."""
    try:
        data = os.getxattr(target, ATTRIBUTE)
    except (OSError, AttributeError):
        try:
            data = _place(target).read_bytes()
        except OSError:
            return None
    try:
        found: dict[str, Any] = json.loads(data)
        record = Record(tuple(found["source"]), found["settings"], tuple(found["result"]), found["fault"])
    except (ValueError, KeyError, TypeError):
        return None
    return record if record.result == stamp(target) else None


def _place(target: Path) -> Path:
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    name = hashlib.sha256(os.fsencode(target.absolute())).hexdigest()
    return Path(home) / "sordino" / "made" / f"{name}.json"
