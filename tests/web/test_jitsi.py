"""lib-jitsi-meet itself: its JitsiLocalTrack with our effect, from the one recent build of it on npm."""

import tarfile

import pytest

from browser.browsers import Tab
from browser.server import Server
from support import BUILD, unavailable
from web.conftest import npm

PACKAGE = "@lyno/lib-jitsi-meet@2.6726.2"
"""A copy of the sources and the bundle; Jitsi publishes none. Of its dependencies, which npm would have to fetch from
GitHub, the bundle needs none."""


@pytest.fixture(scope="module")
def library(server: Server) -> str:
    """Where the server offers lib-jitsi-meet."""
    folder = BUILD / "tests" / "jitsi"
    folder.mkdir(parents=True, exist_ok=True)
    if not (packed := sorted(folder.glob("*.tgz"))):
        try:
            npm(folder, "pack", "--silent", PACKAGE)
        except RuntimeError as error:
            unavailable(f"{PACKAGE} cannot be had: {error}")
        packed = sorted(folder.glob("*.tgz"))
    with tarfile.open(packed[0]) as archive:
        bundle = archive.extractfile("package/lib-jitsi-meet.min.js")
        assert bundle is not None
        server.data["/lib-jitsi-meet.min.js"] = bundle.read()
    return "/lib-jitsi-meet.min.js"


def test_a_local_track_with_our_effect(live: Tab, server: Server, library: str, record_property) -> None:
    """Set, muted and unmuted, taken away, set again, disposed of with the track."""
    answer = live.call(f"{server.origin}/pages/jitsi.js", "localTrack", library)
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
