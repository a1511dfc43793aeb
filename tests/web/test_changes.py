"""What changes under a track while it is cleaned: another context, a lost microphone, a start that is given up."""

import pytest

from browser.browsers import Tab
from browser.server import Server

WRONG = [
    {"path": "frame"},
    {"model": "huge"},
    {"lighterModel": "huge"},
    {"engine": "fast"},
    {"schedule": "later"},
    {"channels": 0},
    {"overrunPolicy": "never"},
    {"retryMs": 0},
    {"timeoutMs": 1e12},
]


@pytest.fixture
def changes(server: Server) -> str:
    return f"{server.origin}/pages/changes.js"


def test_livekit_moves_to_another_context(live: Tab, changes: str) -> None:
    """LiveKit does so when a track is published and when its room gets a new context; the old one is closed then."""
    answer = live.call(changes, "anotherContext")
    assert answer == {"answers": [[1, True, True], [-1, True, True]], "before": "ended"}


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_a_lost_microphone_is_replaced(live: Tab, changes: str, path: str) -> None:
    answer = live.call(changes, "lostMicrophone", path)
    after = {"sent": True, "heard": True, "suppressing": True}
    assert answer == {"told": "source", "ended": "ended", "refused": "source", **after}


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_a_start_is_given_up(live: Tab, changes: str, path: str) -> None:
    assert live.call(changes, "givenUp", path) == ["aborted", True, "live", "aborted"]


def test_options_that_make_no_sense(live: Tab, changes: str) -> None:
    assert live.call(changes, "refusedOptions", WRONG) == ["option"] * len(WRONG)


def test_where_nothing_can_be_suppressed(live: Tab, changes: str) -> None:
    assert live.call(changes, "ownInstead") == {"heard": True, "passes": True, "state": "live"}


def test_a_cause_that_lasts_is_not_tried_by_itself(live: Tab, changes: str) -> None:
    """Of a track as of 100ms; when the page asks for it, it is."""
    once = [["sample-rate", "never"], ["sample-rate", "never"]]
    assert live.call(changes, "lastingCause") == [once, once]


def test_one_attempt_at_a_time(live: Tab, changes: str) -> None:
    """Asked twice for another attempt, both paths and 100ms make one; the errors are the package's own."""
    assert live.call(changes, "askedTwice") == [["fetch", "fetch"]] * 3


def test_a_start_of_100ms_is_given_up(live: Tab, changes: str) -> None:
    """The voice passes all the same. Once it has begun the signal counts no longer."""
    assert live.call(changes, "pluginGivenUp") == [["aborted", "never", True, True], True]
