"""What every test may need: where things lie, and what a missing tool means."""

import os

import pytest

from builder.paths import BUILD, MODELS, ROOT

__all__ = ["BUILD", "IN_CI", "MODELS", "ROOT", "TESTS", "unavailable"]

TESTS = ROOT / "tests"

IN_CI = bool(os.environ.get("CI"))


def unavailable(reason: str) -> None:
    """Something the test needs is not on this machine: a skip that says why, and a failure where CI is set."""
    if IN_CI:
        pytest.fail(f"{reason} (CI is set, so nothing may be missing)", pytrace=False)
    pytest.skip(reason)
