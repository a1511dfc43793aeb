"""Linters, formatters and type checkers find nothing; mypy is asked by test_api.py."""

import pytest

from builder.paths import ROOT, VENV, WASM
from builder.programs import run

PYTHON = ("build.py", "setup.py", "py", "tests", "web", "examples")
C_SUFFIXES = (".c", ".h", ".cpp")
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
C_FILES = sorted(
    file
    for folder in (WASM, ROOT / "py", ROOT / "tests")
    for file in folder.rglob("*")
    if file.suffix in C_SUFFIXES and "gen" not in file.parts
)
COMMANDS = {
    "ruff": [VENV / "bin" / "ruff", "check", *PYTHON],
    "ruff format": [VENV / "bin" / "ruff", "format", "--check", *PYTHON],
    "clang-format": [VENV / "bin" / "clang-format", "--dry-run", "-Werror", *C_FILES],
    "white space, as in .editorconfig": ["git", "diff", "--check", EMPTY_TREE],
    "typescript": ["npm", "run", "typecheck"],
    "biome": ["npm", "run", "lint"],
}


@pytest.mark.parametrize("tool", COMMANDS)
def test_nothing_is_found(tool: str) -> None:
    run(*COMMANDS[tool])
