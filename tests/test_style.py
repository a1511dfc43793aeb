"""Linters and type checkers find nothing."""

import build
import pytest

COMMANDS = {
    "ruff": [build.VENV / "bin" / "ruff", "check", "build.py", "py", "tests", "web"],
    "typescript": ["npm", "run", "typecheck"],
    "biome": ["npm", "run", "lint"],
}


@pytest.mark.parametrize("tool", COMMANDS)
def test_nothing_is_found(tool: str) -> None:
    build.run(*COMMANDS[tool])
