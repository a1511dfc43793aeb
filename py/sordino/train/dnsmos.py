"""DNSMOS: the name of one of its models goes in, where the speechmos package keeps it comes out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from sordino.run.engines import EngineError


def dnsmos_path(name: str) -> Path:
    """Where the speechmos package, which is not imported, keeps one of its models; raises EngineError without it."""
    package = importlib.util.find_spec("speechmos")
    if package is None or not package.submodule_search_locations:
        raise EngineError("DNSMOS needs speechmos; run `pip install 'sordino[train]'`")
    return Path(package.submodule_search_locations[0]) / "dnsmos_models" / name
