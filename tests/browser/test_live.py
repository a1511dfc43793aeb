"""Real-time audio graphs: a clip, the microphone and a call, cleaned while they run."""

import base64
from typing import Any

import numpy as np
import pytest
import soundfile
from golden.outputs import HOP, Golden, native_output
from golden.signals import CLIPS, RATE, Samples, read_clip
from numpy.typing import NDArray

from browser.browsers import PlaywrightTab
from browser.server import Server

REBLOCKING = 448
RECORDED = 4 * RATE
SETTLE = RATE
FRAME = RATE // 50
PAUSE_PERCENTILE, VOICE_PERCENTILE = 15, 90
LEAST_REDUCTION_DB = 3
MOST_VOICE_LOSS_DB = 4


def decode(text: str) -> Samples:
    return np.frombuffer(base64.b64decode(text), np.float32)


def levels_db(samples: Samples) -> NDArray[np.float64]:
    """Power of every 20 ms, in dB full scale."""
    frames = samples[: samples.size - samples.size % FRAME].reshape(-1, FRAME).astype(np.float64)
    return 10 * np.log10((frames**2).mean(axis=1) + 1e-12)


def compare_levels(noisy: Samples, cleaned: Samples) -> dict[str, float]:
    """How far the pauses and the voice sank, in dB."""
    before, after = levels_db(noisy), levels_db(cleaned)
    sank = {
        name: float(np.percentile(before, percentile) - np.percentile(after, percentile))
        for name, percentile in (("pauses", PAUSE_PERCENTILE), ("voice", VOICE_PERCENTILE))
    }
    return {name: round(value, 1) for name, value in sank.items()}


def noisiest_clip() -> Samples:
    """The clip whose pauses are loudest."""
    clips = [read_clip(file) for file in sorted(CLIPS.glob("*.flac"))]
    return max(clips, key=lambda clip: np.percentile(levels_db(clip), PAUSE_PERCENTILE))


def assert_cleaned(answer: dict[str, Any]) -> dict[str, float]:
    """The recorded output is quieter in pauses than the recorded input, and the voice is still there."""
    sank = compare_levels(decode(answer["input"]), decode(answer["output"]))
    assert sank["pauses"] > LEAST_REDUCTION_DB, sank
    assert sank["voice"] < MOST_VOICE_LOSS_DB, sank
    return sank


def differing_samples(answer: dict[str, Any]) -> int:
    """How many recorded samples are not what the native build makes of the recorded input, delayed by re-blocking."""
    heard, cleaned = decode(answer["input"]), decode(answer["output"])
    whole = heard.size - heard.size % HOP
    wanted = np.concatenate([np.zeros(REBLOCKING, np.float32), native_output(heard[:whole])])[:whole]
    return int((cleaned[:whole].view(np.uint32) != wanted.view(np.uint32)).sum())


def test_a_clip_in_real_time(open_tab: Any, server: Server, golden: list[Golden], record_property) -> None:
    server.data["/golden/noisy.f32"] = noisiest_clip().tobytes()
    tab: PlaywrightTab = open_tab("chromium")
    request = {"clip": "/golden/noisy.f32", "samples": RECORDED}
    answer = tab.call(f"{server.origin}/pages/live.js", "playClip", request)
    record_property("real time, chromium: levels sank by dB", assert_cleaned(answer))
    assert differing_samples(answer) == 0
