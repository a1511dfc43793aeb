"""The order of the tests, and what the summary says besides counts."""

from typing import Any

import pytest

from support import TESTS

SLOW_FOLDERS = ("golden", "web", "browser")
IN_REAL_TIME = ("web", "browser")
"""Of several processes one runs these: what plays in real time wants the machine for itself."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--store", action="store_true", help="store the hashes of the golden outputs anew")
    parser.addoption("--long", action="store_true", help="ten minutes of a call, 500 nodes, five minutes of the page")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first: stages, then whole signals, then Node, then browsers."""

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(TESTS).parts[0]
        return SLOW_FOLDERS.index(folder) + 1 if folder in SLOW_FOLDERS else 0

    items.sort(key=rank)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal the tests out file by file, but all that play in real time to the same process."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            folder = nodeid.split("/")[1]
            return "one after the other" if folder in IN_REAL_TIME else nodeid.split("::")[0]

    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the tests measured, so that a green run also gives figures."""
    terminalreporter.section("measured")
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in report.user_properties:
                terminalreporter.write_line(f"{name}: {value}")
