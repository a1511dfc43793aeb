"""Muting, as one table: every way to mute, whatever happens meanwhile, every adapter; measured at a call's far end."""

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from browser import browsers
from browser.server import Server
from support import unavailable

RATE = 48_000
WAYS = {
    "cleaned": ("cleaned", "cleaned"),
    "source": ("source", "source"),
    "cleaned, then source": ("cleaned", "source"),
    "source, then cleaned": ("source", "cleaned"),
    "sender": ("sender", "sender"),
    "null": ("null", "null"),
    "platform": ("platform", "platform"),
    "constraint": ("constraint", "constraint"),
}
"""How the page mutes and unmutes: `enabled` of the cleaned track, of the source, of what the sender has;
replaceTrack(null) and the track that was there; the platform's own; a constraint."""
EVENTS = ("nothing", "on", "suspend", "resume", "stop", "model", "missing", "device", "trap", "step-down", "destroy")
"""What happens while it is muted; "on": suppression is switched on."""
FIREFOX_PARTS = 3
"""Of a lane, side by side."""
FIREFOX_EVENTS = ("nothing", "suspend", "stop", "model", "device", "trap")
LANES = {
    "suppressTrack": {"kind": "Core"},
    "suppressTrack, frames": {"kind": "Core", "path": "frames"},
    "suppressTrack, Worker refused": {"kind": "Core", "path": "refused"},
    "webrtc": {"kind": "Sender"},
    "webrtc, frames": {"kind": "Sender", "path": "frames"},
    "livekit": {"kind": "LiveKit"},
    "livekit, upstream paused": {"kind": "LiveKitPaused"},
    "livekit, microphone stopped": {"kind": "LiveKitStopped"},
    "jitsi": {"kind": "Jitsi"},
    "twilio": {"kind": "Twilio"},
    "100ms": {"kind": "Hms"},
}
SENDS_ITSELF = {
    "LiveKit": ("on", "stop", "device"),
    "Twilio": ("on", "stop", "device"),
    "Hms": ("on", "stop", "device", "destroy"),
}
"""Platforms that then put a track on the sender, and mute it as their own mute says, whatever was on it."""


def why_not(lane: dict[str, str], way: str, event: str) -> str | None:
    """Why there is no such cell, or None."""
    kind = lane["kind"]
    own = kind not in ("Core", "Sender")
    if way == "constraint":
        return "no browser has a constraint that mutes; `volume` was one"
    if lane.get("path") and event in ("suspend", "resume"):
        return "the frame path has no context"
    if way == "platform" and not own:
        return "a page of its own has no other mute"
    if kind in ("LiveKitPaused", "LiveKitStopped") and way != "platform":
        return "as livekit"
    if kind == "LiveKitPaused" and event in ("on", "stop", "device"):
        return "LiveKit then puts a track on the sender itself"
    if kind == "LiveKitStopped" and event in ("model", "missing", "trap", "step-down", "resume"):
        return "there is no microphone meanwhile"
    kept = (kind, way) == ("Hms", "source") or (kind == "LiveKit" and event == "on" and way != "null")
    if way != "platform" and event in SENDS_ITSELF.get(kind, ()) and not kept:
        return "the platform then puts a track on the sender, muted as its own mute says"
    if kind == "Hms" and way not in ("platform", "source", "null"):
        return "100ms keeps its cleaned track to itself"
    if way == "sender" and kind not in ("Sender", "Twilio"):
        return "as the cleaned track, or the source where that has its place"
    if kind == "Sender" and way == "null" and event == "on":
        return "a sender without a track has nothing to be suppressed, and is refused"
    if kind == "Twilio" and way == "platform" and event in ("on", "stop"):
        return "Twilio sends the microphone that it opens anew before it mutes it, with an adapter or without"
    if event == "on" and "cleaned" in WAYS[way][:1]:
        return "there is no cleaned track yet"
    return None


def cells(lane: dict[str, str]) -> list[list[str]]:
    """[mute, event, unmute] of all cells of a lane."""
    return [
        [WAYS[way][0], event, WAYS[way][1]] for event in EVENTS for way in WAYS if why_not(lane, way, event) is None
    ]


def turned(row: list[list[str]], share: float) -> list[list[str]]:
    """The row from another cell on, so that lanes side by side are not all at the dearest event at once."""
    first = round(share * len(row))
    return row[first:] + row[:first]


@pytest.fixture(scope="module")
def phone(server: Server, playwright: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[browsers.Tab]:
    """A Chromium whose microphones all give the same tone."""
    if reason := browsers.missing("chromium"):
        unavailable(reason)
    at = np.arange(2 * RATE) / RATE
    tone = 0.3 * np.sin(2 * np.pi * 200 * at) + 0.2 * np.sin(2 * np.pi * 400 * at)
    recording = tmp_path_factory.mktemp("microphone") / "tone.wav"
    soundfile.write(recording, tone, RATE, subtype="PCM_16")
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--js-flags=--expose-gc"]
    flags.append(f"--use-file-for-fake-audio-capture={recording}")
    with contextlib.closing(browsers.launch(playwright, "chromium", flags)) as browser:
        page = browser.new_page()
        page.goto(f"{server.origin}/pages/index.html")
        yield browsers.PlaywrightTab("chromium", page)


@pytest.fixture
def fox(server: Server, playwright: Any) -> Iterator[browsers.Tab]:
    """A Firefox with a fake microphone, which gives a tone."""
    for wanted in ("firefox", "audio sink"):
        if reason := browsers.missing(wanted):
            unavailable(reason)
    preferences = {"media.navigator.streams.fake": True}
    with (
        browsers.audio_sink() as environment,
        contextlib.closing(browsers.launch(playwright, "firefox", (), environment, preferences)) as browser,
    ):
        page = browser.new_page()
        page.goto(f"{server.origin}/pages/index.html")
        yield browsers.PlaywrightTab("firefox", page)


@pytest.fixture
def platforms(phone: Any, consumers: Path, jitsi: str) -> None:
    """The platforms' own classes can be loaded by the page."""
    subprocess.run(["node", "platforms.mjs"], cwd=consumers, check=True)
    phone.page.add_script_tag(url=jitsi)
    phone.page.evaluate("JitsiMeetJS.init({ disableAudioLevels: true, disableNS: true, disableAGC: true })")


def run_table(tab: browsers.Tab, server: Server, wanted: dict[str, dict[str, Any]]) -> dict[str, str]:
    """What is wrong, by lane and cell; each lane of what is wanted has its cells."""
    page = f"{server.origin}/pages/mutes.js"
    tab.call(page, "begin", wanted)
    while (found := tab.call(page, "results")) is None:
        time.sleep(1)
    assert {name: list(said) for name, said in found.items()} == {
        name: [" ".join(cell) for cell in lane["cells"]] for name, lane in wanted.items()
    }
    return {f"{name}: {cell}": what for name, said in found.items() for cell, what in said.items() if what}


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("platforms")
def test_the_table(phone: browsers.Tab, server: Server, record_property) -> None:
    """No sample of the microphone arrives while it is muted, and the voice is back after unmuting."""
    wanted = {
        name: {**lane, "cells": turned(cells(lane), k / len(LANES))} for k, (name, lane) in enumerate(LANES.items())
    }
    record_property("cells", sum(len(lane["cells"]) for lane in wanted.values()))
    assert run_table(phone, server, wanted) == {}


def test_the_table_in_firefox(fox: browsers.Tab, server: Server) -> None:
    """Of the package itself; what is played is measured, for Firefox shows no packets."""
    wanted = {}
    for name in ("suppressTrack", "webrtc"):
        found = [cell for cell in cells(LANES[name]) if cell[0] == cell[2] and cell[1] in FIREFOX_EVENTS]
        for k in range(FIREFOX_PARTS):
            wanted[f"{name}, part {k}"] = {**LANES[name], "cells": found[k::FIREFOX_PARTS]}
    assert run_table(fox, server, wanted) == {}


@pytest.mark.parametrize("path", ["worklet", "frames"])
def test_senders(phone: browsers.Tab, server: Server, path: str) -> None:
    """Switched on twice, paused, standing still: silent while muted, heard again afterwards."""
    found = phone.call(f"{server.origin}/pages/senders.js", "results", path)
    assert {name: wrong for name, wrong in found.items() if wrong} == {} and len(found) >= 8
