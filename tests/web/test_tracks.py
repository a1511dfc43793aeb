"""Tracks: the voice is there from the first moment, the twin behaves like its source, both paths agree."""

import base64

import numpy as np
import pytest

from browser.browsers import Tab
from browser.server import Server
from golden.signals import clip_files, read_clip
from sordino.run.engines import open_engine
from support import MODELS, ROOT

VOICE = 0.5 / 2**0.5
"""RMS of the tone that stands for a voice."""
THROWN_AT = 50
THROWS_ONCE = b"""{
    const { copyTo } = AudioData.prototype;
    let left = %d;
    AudioData.prototype.copyTo = function (...to) {
        if (left-- === 0) throw new Error("out of order");
        copyTo.apply(this, to);
    };
}
"""
"""Before the Worker's own script: the reading of one frame fails."""


@pytest.fixture
def tracks(server: Server) -> str:
    return f"{server.origin}/pages/tracks.js"


@pytest.fixture
def frame_path(server: Server) -> str:
    return f"{server.origin}/pages/frames.js"


@pytest.fixture
def adapters(server: Server) -> str:
    return f"{server.origin}/pages/adapters.js"


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_files_that_come_late(live: Tab, server: Server, tracks: str, path: str) -> None:
    """They do not arrive: the voice passes and the page is told. They arrive: suppression begins by itself."""
    server.data.pop("/late.sordino", None)
    first = live.call(tracks, "startLate", path)
    assert max(first["levels"]) == pytest.approx(VOICE, rel=0.1) and not first["suppressing"]
    assert first["log"][:2] == [["error", "fetch"], ["fallback", "fetch"]]
    server.data["/late.sordino"] = (MODELS / "standard.sordino").read_bytes()
    then = live.call(tracks, "finishLate")
    assert then["suppressing"] and then["log"][-1] == ["ready", None]


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_the_twin_stands_for_its_source(live: Tab, tracks: str, path: str) -> None:
    answer = live.call(tracks, "standIn", path)
    assert answer["settings"] == answer["wanted"] and answer["sameDevice"]
    assert answer["constraints"]["noiseSuppression"] is False and answer["constraints"]["echoCancellation"] is True
    assert answer["heard"] == ["mute", "unmute", "ended"] and answer["state"] == "ended"
    assert answer["secondHeard"]
    assert answer["log"][-1] == ["fallback", "source"]


def test_a_browser_that_converts_no_rates(live: Tab, tracks: str) -> None:
    """A context of the track's own rate is found, the page's own is not forced, and what cannot be heard is told."""
    answer = live.call(tracks, "refusedRates", 16_000)
    assert answer == {
        "rate": 16_000,
        "suppressing": True,
        "replaced": "sample-rate",
        "kept": True,
        "refused": "unsupported",
    }


def test_settings_of_a_track(live: Tab, tracks: str) -> None:
    """They hold for a node that is still to come; the twin's stop() frees everything but the source."""
    wanted = ["strong", "strong", True, False, "closed", "ended", "live", "source"]
    assert live.call(tracks, "settings") == wanted


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_voices_of_a_track(live: Tab, tracks: str, path: str) -> None:
    answer = live.call(tracks, "voices", path)
    assert answer["told"] >= 20 and answer["frames"] > 0 and answer["inRange"]


def test_the_frame_path_steps_down(live: Tab, frame_path: str) -> None:
    answer = live.call(frame_path, "slowFrames")
    lighter = answer["models"][: answer["models"].index("standard")][::-1]
    last = ["standard", *lighter][-1]
    wanted = [*(["step-down", name] for name in lighter), ["bypass", last]]
    assert answer["steps"][: len(wanted)] == wanted and answer["model"] == last
    assert (answer["during"], answer["after"]) == (False, True)


def test_a_worker_that_does_not_come(live: Tab, frame_path: str) -> None:
    """The worklet path takes over, on the same track, and for the next source."""
    answer = live.call(frame_path, "noWorker")
    assert answer["log"] == [["error", "worklet"], ["fallback", "worklet"], ["ready", None]]
    assert answer["suppressing"] and answer["states"] == ["suppressing", "ended"]
    first, second = answer["levels"]
    assert 0.45 * VOICE < first < 1.05 * VOICE and 0.45 * VOICE / 2 < second < 1.05 * VOICE / 2, "at most 6 dB less"


def test_a_worker_that_throws(live: Tab, server: Server, frame_path: str) -> None:
    """The frame that was under way and those after it pass as they are, the page is told, suppression comes back."""
    script = (ROOT / "web" / "dist" / "sordino.worker.js").read_bytes()
    server.data["/throwing.worker.js"] = THROWS_ONCE % THROWN_AT + script
    answer = live.call(frame_path, "throwingWorker", "/throwing.worker.js")
    assert answer["log"] == [["error", "runtime"], ["fallback", "runtime"], ["ready", None]]
    assert answer["latencies"] == [0, 1440]
    unchanged = answer["unchanged"]
    assert unchanged[: THROWN_AT + 2] == [False] * THROWN_AT + [True] * 2
    assert answer["suppressing"] and not unchanged[-1]


def test_stopped_while_it_starts(live: Tab, tracks: str) -> None:
    assert live.call(tracks, "stopEarly") == [[], True, True, True]


def test_a_sender_never_falls_silent(live: Tab, adapters: str) -> None:
    assert live.call(adapters, "senderAndSuspension") == ["cleaned", "source", "cleaned", "source"]


@pytest.mark.parametrize("look_ahead", [0, 2])
def test_the_frame_path_gives_the_same_bytes(
    live: Tab, server: Server, frame_path: str, look_ahead: int, record_property
) -> None:
    """Those of the kernel, as the worklet path (tests/browser/test_worklet.py), but without re-blocking."""
    frames = 200
    clip = read_clip(clip_files()[0])[: 480 * frames]
    server.data["/frames.f32"] = clip.tobytes()
    options = {"overrunPolicy": "ignore", "lookAhead": look_ahead}
    request = {"samples": "/frames.f32", "frames": frames, "options": options}
    answer = live.call(frame_path, "frameBytes", request)
    output = np.frombuffer(base64.b64decode(answer["output"]), np.float32)
    wanted = open_engine("native", look_ahead=look_ahead).process(clip)
    differ = (output != wanted).sum()
    record_property(f"frame path, look-ahead {look_ahead}", f"{frames} frames, {differ} differ, {answer['lost']} lost")
    assert answer["latencySamples"] == 480 * (1 + look_ahead) and answer["lost"] == 0
    assert np.array_equal(output, wanted)


def test_the_adapters_keep_their_contracts(live: Tab, adapters: str) -> None:
    answer = live.call(adapters, "contracts")
    assert answer["livekit"] == ["sordino", True, True]
    assert answer["jitsi"] == [True, True, True] and answer["atOnce"]
    assert answer["twilio"] == [True, True, "ended"]
    assert answer["hms"] == ["sordino", "TRANSFORM", {"isSupported": True}, True]


def test_100ms_goes_on_after_a_failed_start(live: Tab, server: Server, adapters: str) -> None:
    """The voice passes, once and not twice where it comes from another plugin; then it is cleaned."""
    server.data.pop("/late.sordino", None)
    first = live.call(adapters, "startPluginLate")
    assert first["log"][:2] == [["error", "fetch"], ["fallback", "fetch"]] and not first["node"]
    assert max(first["levels"]) == pytest.approx(VOICE, rel=0.1)
    server.data["/late.sordino"] = (MODELS / "standard.sordino").read_bytes()
    then = live.call(adapters, "finishPluginLate")
    assert then["log"][-1] == ["ready", None] and then["suppressing"]
    assert 0.45 * VOICE < then["levels"][-1] < 1.05 * VOICE, "at most 6 dB less"
    assert then["stopped"] == 0


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_the_model_of_a_track(live: Tab, tracks: str, path: str) -> None:
    """Changed while it runs, and before it does; what is no model is refused; latency and voice are told."""
    answer = live.call(tracks, "model", path)
    assert answer["models"] == ["standard", "tiny", "tiny"] and answer["refused"] == ["option", "fetch", "aborted"]
    samples = 1440 if path == "frames" else 1888
    assert answer["latency"] == {"samples": samples, "seconds": samples / 48_000}
    assert answer["voice"] == answer["told"]


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_models_asked_for_at_once(live: Tab, tracks: str, path: str) -> None:
    """Whichever file comes first, each is answered, and the one asked for last stays."""
    answer = live.call(tracks, "modelsAtOnce", path)
    assert answer["models"] == ["tiny", "tiny"]
    assert answer["outcomes"] == ["standard", "tiny", "option", "standard", "tiny"]
