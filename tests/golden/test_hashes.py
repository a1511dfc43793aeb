"""Whole signals: the output is, to the byte, the one that was stored."""

import pytest

from golden.hashes import differences, store


def test_the_bytes_are_those_stored(pytestconfig: pytest.Config) -> None:
    if pytestconfig.getoption("store"):
        store()
    assert not differences()
