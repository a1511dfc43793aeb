"""A conference: a noisy microphone, two peers, Opus; what the far end hears, with and without suppression."""

import base64
import contextlib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import soundfile

from browser import browsers
from browser.server import Server
from golden.signals import RATE, clip_files, read_clip
from web.sessions import Samples

HEARD_S, COMPARED_S = 12, 14
FRAME = RATE // 50
MINUTE, TEN_MINUTES = 60, 600
LONGEST_NAP_S = 60
EVENTS = ("mute", "switchDevice", "replaceTrack", "reconnect")


@pytest.fixture(scope="module")
def clip() -> Samples:
    """The recording that the microphone plays over and over."""
    return read_clip(clip_files()[0])


@pytest.fixture(scope="module")
def phone(server: Server, playwright: Any, clip: Samples, tmp_path_factory) -> Iterator[browsers.Tab]:
    """A Chromium whose microphone is the clip."""
    recording = tmp_path_factory.mktemp("microphone") / "noisy.wav"
    soundfile.write(recording, clip, RATE, subtype="PCM_16")
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    flags.append(f"--use-file-for-fake-audio-capture={recording}")
    with contextlib.closing(browsers.launch(playwright, "chromium", flags)) as browser:
        page = browser.new_page()
        page.goto(f"{server.origin}/pages/index.html")
        yield browsers.PlaywrightTab("chromium", page)


def envelope_db(samples: Samples) -> np.ndarray:
    frames = samples[: samples.size - samples.size % FRAME].reshape(-1, FRAME).astype(np.float64)
    return 10 * np.log10(np.square(frames).mean(axis=1) + 1e-9)


def aligned(heard: np.ndarray, sent: np.ndarray) -> np.ndarray:
    """The sent envelope, repeated and shifted so that it fits what was heard best."""
    looped = np.tile(sent, 3 + heard.size // sent.size)
    loud = heard - heard.mean()
    fits = [np.corrcoef(loud, looped[lag : lag + heard.size])[0, 1] for lag in range(sent.size)]
    return looped[int(np.argmax(fits)) :][: heard.size]


def score(answer: dict[str, Any], clip: Samples) -> dict[str, float]:
    """Gain in dB from microphone to far end: of the frames that are pauses and of those that are voice."""
    heard = envelope_db(np.frombuffer(base64.b64decode(answer["output"]), np.float32))
    sent = aligned(heard, envelope_db(clip))
    gain = heard - sent
    pauses, voice = sent < np.percentile(sent, 20), sent > np.percentile(sent, 85)
    return {"pauses": round(float(np.median(gain[pauses])), 1), "voice": round(float(np.median(gain[voice])), 1)}


def talk(phone: browsers.Tab, page: str, mode: str, seconds: float, options: dict[str, Any] | None = None) -> Any:
    """One call; Sordino's is disturbed by every event, and its last seconds are undisturbed."""
    phone.call(page, "start", mode, options or {})
    busy = EVENTS if mode == "sordino" else ()
    pause = (seconds - HEARD_S - 2) / max(1, len(busy))
    naps = math.ceil(pause / LONGEST_NAP_S)
    for event in busy:
        for _ in range(naps):
            phone.call(page, "sleep", pause / naps)
        phone.call(page, "happen", event)
    phone.call(page, "sleep", HEARD_S + 2)
    return phone.call(page, "finish", HEARD_S)


@pytest.mark.timeout(1500)
def test_a_call(phone: browsers.Tab, server: Server, clip: Samples, request, record_property) -> None:
    page = f"{server.origin}/pages/calls.js"
    seconds = TEN_MINUTES if request.config.getoption("long", False) else MINUTE
    ours = talk(phone, page, "sordino", seconds)
    scores = {"sordino": score(ours, clip)}
    for mode in ("raw", "browser"):
        scores[mode] = score(talk(phone, page, mode, COMPARED_S), clip)
    record_property("far end, gain in dB", scores)
    record_property("call", {k: ours[k] for k in ("elapsed", "stats", "concealed", "log")})
    assert not [entry for entry in ours["log"] if not entry.startswith("overrun none")], ours["log"]
    assert ours["stats"]["frames"] > 0.97 * 100 * (ours["elapsed"] - 2)
    noise_down = scores["raw"]["pauses"] - scores["sordino"]["pauses"]
    voice_down = scores["raw"]["voice"] - scores["sordino"]["voice"]
    assert noise_down > 3 and noise_down > voice_down, scores
    assert voice_down < 6, scores
