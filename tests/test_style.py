"""Linters and type checkers find nothing."""

import pytest

from builder.paths import VENV
from builder.programs import run

COMMANDS = {
    "ruff": [VENV / "bin" / "ruff", "check", "build.py", "py", "tests", "web"],
    "typescript": ["npm", "run", "typecheck"],
    "biome": ["npm", "run", "lint"],
}


@pytest.mark.parametrize("tool", COMMANDS)
def test_nothing_is_found(tool: str) -> None:
    run(*COMMANDS[tool])
