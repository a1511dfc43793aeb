"""Contexts and tracks by the hundred in one page: none fails for want of memory, and what they leave does not add up.

An address space holds some 125 wasm memories; with --long a thousand of each kind are made.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from browser import browsers
from browser.server import Server
from web.test_nodes import private_mb

LIVES, FEW, LONG_LIVES = 140, 30, 1000
KINDS = {
    "offline, destroyed": FEW,
    "offline, rendered, destroyed": FEW,
    "offline, rendered, dropped": LIVES,
    "offline, dropped": LIVES,
    "live, destroyed": FEW,
    "live, closed": FEW,
    "tracks, worklet path": FEW,
    "tracks, frame path": FEW,
}
"""Many where nothing but the browser's own collection gives the memory back, few of the others."""


@pytest.fixture(scope="module")
def crowd(server: Server, playwright: Any) -> Iterator[browsers.PlaywrightTab]:
    with contextlib.closing(browsers.launch(playwright, "chromium")) as browser:
        tab = browsers.PlaywrightTab("chromium", browser.new_page())
        tab.open(f"{server.origin}/pages/index.html")
        yield tab


def heap_mb(tab: browsers.PlaywrightTab) -> float:
    session = tab.page.context.new_cdp_session(tab.page)
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    usage = session.send("Runtime.getHeapUsage")
    return (usage["usedSize"] + usage.get("backingStorageSize", 0)) / 1e6


def renderer_mb(tab: browsers.PlaywrightTab) -> float:
    processes = tab.page.context.browser.new_browser_cdp_session()
    running = processes.send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(private_mb(process["id"]) for process in running if process["type"] == "renderer")


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("kind", KINDS)
def test_many(crowd: browsers.PlaywrightTab, server: Server, kind: str, request, record_property) -> None:
    """In one page, one kind after the other."""
    page = f"{server.origin}/pages/many.js"
    count = LONG_LIVES if request.config.getoption("long", False) else KINDS[kind]
    before, resident = heap_mb(crowd), renderer_mb(crowd)
    errors = []
    for done in range(0, count, 20):
        errors += crowd.call(page, "live", kind, min(20, count - done))
    growth = (heap_mb(crowd) - before) / count
    private = (renderer_mb(crowd) - resident) / count
    record_property(f"{count} of {kind}: heap and buffers, private memory of the renderer, MB each", (growth, private))
    assert errors == []
    assert growth < 0.05, "MB per life of the page's heap"
