"""Who imports whom: no circle, and each folder of the package only what lies below it (contracts in pyproject.toml)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from builder.paths import PACKAGE, ROOT, VENV


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with the package's sources and the contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(PACKAGE, tmp_path / "sordino", ignore=lambda _, names: [n for n in names if is_data(n)])
    return tmp_path


def is_data(name: str) -> bool:
    return name == "__pycache__" or Path(name).suffix in (".so", ".onnx", ".sordino", ".png", ".wasm")


def check(folder: Path) -> tuple[int, str]:
    """Exit status and text of import-linter over the package in a folder."""
    command = [VENV / "bin" / "lint-imports", "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout


def test_the_contracts_are_kept(copy: Path) -> None:
    assert check(copy)[0] == 0, check(copy)[1]


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("evaluation/measures.py", "from . import scoring", "no import circle"),
        ("chain/stft.py", "def late():\n    from sordino.chain import pipeline", "no import circle"),
        ("run/stream.py", "import sordino.train.curve", "each folder imports only from those below it"),
        ("chain/bands.py", "import soundfile", "the chain needs nothing but NumPy"),
    ],
)
def test_a_circle_or_a_way_up_is_found(copy: Path, file: str, line: str, broken: str) -> None:
    with (copy / "sordino" / file).open("a") as source:
        source.write(f"\n{line}\n")
    status, text = check(copy)
    assert status == 1 and f"{broken} BROKEN" in text, text
