"""The order of the tests, and what the summary says besides counts."""

import pytest

from support import TESTS

SLOW_FOLDERS = ("golden", "web", "browser")
ONE_AFTER_THE_OTHER = ("web", "browser")
"""Of several processes one runs these: what plays in real time wants the machine for itself."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="ten minutes of a call, 500 nodes, five minutes of the page")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: stages, then whole signals, then Node, then browsers."""

    def folder(item: pytest.Item) -> str:
        return item.path.relative_to(TESTS).parts[0]

    items.sort(key=lambda item: SLOW_FOLDERS.index(folder(item)) + 1 if folder(item) in SLOW_FOLDERS else 0)
    for item in items:
        if folder(item) in ONE_AFTER_THE_OTHER:
            item.add_marker(pytest.mark.xdist_group("one after the other"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the tests measured, so that a green run also gives figures."""
    terminalreporter.section("measured")
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in report.user_properties:
                terminalreporter.write_line(f"{name}: {value}")
