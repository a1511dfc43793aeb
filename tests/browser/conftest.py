"""Fixtures of the browser tests: the loopback server, and one tab per browser."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from playwright.sync_api import Page

from browser import browsers
from browser.demo import PICTURE_STYLE, WAIT_MS
from browser.server import Server
from golden.outputs import Golden, golden_outputs
from support import BUILD, MODELS, ROOT, TESTS, unavailable


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Serves what was built, the test pages, and whatever bytes a test puts into `server.data`."""
    folders = {
        "pages": TESTS / "browser" / "pages",
        "dist": ROOT / "web" / "dist",
        "demo": BUILD / "demo",
        "wasm": BUILD / "wasm",
        "models": MODELS,
        "node_modules": ROOT / "node_modules",
    }
    with Server(folders) as running:
        yield running


@pytest.fixture(scope="session", params=["chromium", "firefox", "webkit"])
def running_browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Each browser in turn: a Playwright Browser, or for WebKitGTK its one tab."""
    name = request.param
    if reason := browsers.missing(name):
        unavailable(reason)
    if name == "webkit":
        with browsers.webkit_tab() as tab:
            yield tab
        return
    with contextlib.closing(browsers.launch(request.getfixturevalue("playwright"), name)) as browser:
        yield browser


@pytest.fixture
def tab(running_browser: Any, server: Server) -> Iterator[browsers.Tab]:
    """A fresh page in each of the three browsers, at the empty test page."""
    if isinstance(running_browser, browsers.WebKitTab):
        running_browser.open(f"{server.origin}/pages/index.html")
        yield running_browser
        return
    with contextlib.closing(running_browser.new_page()) as page:
        fresh = browsers.PlaywrightTab(running_browser.browser_type.name, page)
        fresh.open(f"{server.origin}/pages/index.html")
        yield fresh


@pytest.fixture
def open_tab(request: pytest.FixtureRequest, server: Server) -> Iterator[Any]:
    """Opens a tab of a browser of its own that plays in real time: open_tab(name, flags) -> Tab.

    Firefox and WebKitGTK play only where there is an audio device, so they get one; flags are Chromium's.
    """
    with contextlib.ExitStack() as stack:

        def start(name: str, flags: Sequence[str] = ()) -> browsers.Tab:
            sinks = () if name == "chromium" else ("audio sink",)
            for wanted in (name, *sinks):
                if reason := browsers.missing(wanted):
                    unavailable(reason)
            environment = stack.enter_context(browsers.audio_sink()) if sinks else {}
            if name == "webkit":
                tab = stack.enter_context(browsers.webkit_tab(environment))
            else:
                browser = browsers.launch(request.getfixturevalue("playwright"), name, flags, environment)
                tab = browsers.PlaywrightTab(name, stack.enter_context(contextlib.closing(browser)).new_page())
            tab.open(f"{server.origin}/pages/index.html")
            return tab

        yield start


@pytest.fixture
def open_page(open_tab: Any, server: Server) -> Iterator[Any]:
    """Opens the page in a browser of its own: open_page(name, flags, query) -> Page; in the end nothing has failed."""
    errors: list[str] = []

    def start(name: str, flags: Sequence[str] = (), query: str = "") -> Page:
        page: Page = open_tab(name, flags).page
        page.on("pageerror", lambda error: errors.append(f"exception: {error}"))
        page.on("console", lambda said: errors.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("requestfailed", lambda request: errors.append(f"request failed: {request.url}"))
        page.set_default_timeout(WAIT_MS)
        page.goto(f"{server.origin}/demo/index.html{query}")
        return page

    yield start
    # A media element gives up reading its own file when it has read enough.
    assert not [error for error in errors if PICTURE_STYLE not in error and "failed: blob:" not in error]


@pytest.fixture(scope="session")
def golden(server: Server) -> list[Golden]:
    """The golden signals, and the server offers each one's input and native output."""
    signals = golden_outputs()
    for signal in signals:
        server.data[signal.input] = signal.samples.tobytes()
        server.data[signal.output] = signal.cleaned.tobytes()
    return signals
