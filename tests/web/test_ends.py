"""What ends with what: sources that stop, clones, twins of one source, senders that the page takes back."""

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from browser import browsers
from browser.browsers import Tab
from browser.server import Server
from support import unavailable

SOFT_DB = -30
"""The voice is at -34 dBFS when it is unmuted, and was at full scale until then."""
PART, PARTS, MORE_PARTS = 50, 2, 20
"""Cycles between two looks at the heap, and how many looks."""
MOST_GROWTH = 1.5e6
"""Bytes of heap after the first part; what a context or a kernel holds is more than that for every ten."""
BOTH = pytest.mark.parametrize("path", ["worklet", "frames"])


@pytest.fixture(scope="module")
def phone(server: Server, playwright: Any) -> Iterator[browsers.Tab]:
    """A Chromium with a fake microphone that counts its memory to the byte."""
    if reason := browsers.missing("chromium"):
        unavailable(reason)
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--js-flags=--expose-gc"]
    flags.append("--enable-precise-memory-info")
    with contextlib.closing(browsers.launch(playwright, "chromium", flags)) as browser:
        page = browser.new_page()
        page.goto(f"{server.origin}/pages/index.html")
        yield browsers.PlaywrightTab("chromium", page)


@pytest.fixture
def ends(server: Server) -> str:
    return f"{server.origin}/pages/ends.js"


@BOTH
def test_a_source_that_is_stopped(phone: Tab, ends: str, path: str) -> None:
    """Its track, its clones, its context and its Worker end with it."""
    answer = phone.call(ends, "stoppedSource", path)
    contexts, workers = (1, 0) if path == "worklet" else (0, 1)
    assert answer["lived"] == {"contexts": contexts, "workers": workers}
    assert answer["left"] == {"contexts": 0, "workers": 0}
    assert answer["told"] == ["ended", "ended"] and answer["states"] == ["ended", "ended"]
    assert answer["log"][-2:] == [["error", "source"], ["fallback", "source"]]


@BOTH
@pytest.mark.timeout(900)
def test_nothing_is_left_of_many(phone: Tab, ends: str, path: str, request, record_property) -> None:
    parts = MORE_PARTS if request.config.getoption("long", False) else PARTS
    used = []
    for _ in range(parts):
        answer = phone.call(ends, "cycles", path, PART, 5)
        assert (answer["working"], answer["left"]) == (PART, {"contexts": 0, "workers": 0})
        used.append(answer["used"])
    record_property(f"heap, {path}", used)
    assert used[-1] - used[0] < MOST_GROWTH, used


@BOTH
def test_clones_say_what_the_microphone_says(phone: Tab, ends: str, path: str) -> None:
    answer = phone.call(ends, "clones", path)
    assert answer == {"same": [True, True, True], "enabled": [False, True, False, True]}


@BOTH
def test_clones_outlive_the_track(phone: Tab, ends: str, path: str) -> None:
    answer = phone.call(ends, "outlived", path)
    assert answer["heard"] and answer["suppressing"] and answer["secondHeard"]
    assert answer["after"] == [False, "closed", "live"] and answer["told"] == ["ended"]


@BOTH
def test_twins_of_one_source(phone: Tab, ends: str, path: str) -> None:
    """`enabled` of the first, the second, the source; whether the first is heard, and the second."""
    assert phone.call(ends, "twins", path) == [
        [False, True, True, False, True],
        [False, False, False, False, False],
        [True, False, True, True, False],
        [False, False, False, False, False],
        [True, False, True, True, False],
        [True, True, True, True, True],
    ]


@BOTH
@pytest.mark.parametrize("way", ["cleaned", "source", "clone", "null"])
def test_what_is_said_while_muted_is_never_heard(phone: Tab, ends: str, path: str, way: str) -> None:
    """Not even at the moment of unmuting, when it may wait in the delay line. clone: the source is live for another."""
    answer = phone.call(ends, "saidWhileMuted", path, way)
    assert answer["whileMuted"] < -100 and answer["db"] < SOFT_DB, answer
    assert answer["db"] > SOFT_DB - 20, "the voice is back"


@BOTH
def test_another_source_while_muted(phone: Tab, ends: str, path: str) -> None:
    answer = phone.call(ends, "takenOver", path)
    assert answer["answer"] == [[False, False, False], [True, True], [True, True, True], [False, False]]
    assert answer["changes"] == [False, True]


@BOTH
def test_a_sender_that_the_page_takes_back(phone: Tab, ends: str, path: str) -> None:
    """A track of its own stays; a mute under way is not undone by stop(); what it gives back then is the source."""
    assert phone.call(ends, "ownTrack", path) == ["cleaned", "own", "cleaned", "null", "source"]
