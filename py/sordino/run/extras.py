"""Optional dependencies: the modules that a command needs, and the extra that has them."""

from __future__ import annotations

import importlib.util

from .engines import EngineError


def need(extra: str, *modules: str) -> None:
    """Refuse to go on without modules.

    extra    of `sordino`, which installs them
    modules  their names
    raises   EngineError naming what is missing and the command that installs it
    """
    absent = [name for name in modules if importlib.util.find_spec(name) is None]
    if absent:
        verb = "is" if len(absent) == 1 else "are"
        raise EngineError(f"{', '.join(absent)} {verb} not installed; run `pip install 'sordino[{extra}]'`")
