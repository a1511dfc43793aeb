"""What every test may need: where things lie, and what a missing tool means."""

import os
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent
BUILD = ROOT / "build"
MODELS = ROOT / "py" / "sordino" / "models"

IN_CI = bool(os.environ.get("CI"))


def unavailable(reason: str) -> None:
    """Something the test needs is not on this machine: a skip that says why, and a failure where CI is set."""
    if IN_CI:
        pytest.fail(f"{reason} (CI is set, so nothing may be missing)", pytrace=False)
    pytest.skip(reason)
