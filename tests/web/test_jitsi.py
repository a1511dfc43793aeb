"""lib-jitsi-meet itself: its JitsiLocalTrack with our effect, from the one recent build of it on npm."""

from browser.browsers import Tab
from browser.server import Server


def test_a_local_track_with_our_effect(live: Tab, server: Server, jitsi: str, record_property) -> None:
    """Set, muted and unmuted, taken away, set again, disposed of with the track."""
    answer = live.call(f"{server.origin}/pages/jitsi.js", "localTrack", jitsi)
    record_property("lib-jitsi-meet", answer.pop("version"))
    assert answer == {
        "swapped": True,
        "heardAtOnce": True,
        "suppressing": True,
        "muted": [True, False],
        "unmuted": [False, True],
        "restored": True,
        "afterwards": ["ended", "live"],
        "disposed": ["ended", "ended"],
    }
