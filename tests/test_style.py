"""Linters, formatters and type checkers find nothing, and no function is long; mypy is asked by test_api.py."""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

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
LONGEST_FUNCTION = 40
"""Lines, with signature and docstring."""
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


def long_functions(source: str) -> Iterator[str]:
    """Name and length of every function of a module that is too long."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{node.name}: {lines} lines"


def python_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", "*.py"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listed.stdout.split("\0") if name]


def test_functions_are_short() -> None:
    found = {file.relative_to(ROOT): [*long_functions(file.read_text())] for file in python_files() if file.exists()}
    assert len(found) > 100 and not {file: names for file, names in found.items() if names}
    body = "\n".join(["    pass"] * LONGEST_FUNCTION)
    assert [*long_functions(f"def wordy():\n{body}\n")] == [f"wordy: {LONGEST_FUNCTION + 1} lines"]
