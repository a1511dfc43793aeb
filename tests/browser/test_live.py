"""Real-time audio graphs: a clip, the microphone and a call, cleaned while they run."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from browser.browsers import Tab
from browser.server import Server
from golden.outputs import HOP, native_output
from golden.signals import RATE, Samples, clip_files, read_clip

REBLOCKING = 448
QUANTUM = 128
MOST_QUANTA = 8
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
    clips = [read_clip(file) for file in clip_files()]
    return max(clips, key=lambda clip: np.percentile(levels_db(clip), PAUSE_PERCENTILE))


@pytest.fixture
def noisy_clip(server: Server) -> str:
    """Where the server offers the noisiest clip."""
    server.data["/golden/noisy.f32"] = noisiest_clip().tobytes()
    return "/golden/noisy.f32"


def assert_sank(sank: dict[str, float]) -> None:
    """The pauses are quieter than before, and the voice is still there."""
    assert sank["pauses"] > LEAST_REDUCTION_DB, sank
    assert sank["voice"] < MOST_VOICE_LOSS_DB, sank


def assert_cleaned(answer: dict[str, Any]) -> dict[str, float]:
    """What was recorded after Sordino against what was recorded before it."""
    sank = compare_levels(decode(answer["input"]), decode(answer["output"]))
    assert_sank(sank)
    return sank


def differing_samples(answer: dict[str, Any]) -> int:
    """How many recorded samples are not what the native build makes of the recorded input, delayed by re-blocking.

    The node may have begun some silent quanta before the recorder, or after it: those are put before the input, or
    taken from it.
    """
    heard, cleaned = decode(answer["input"]), decode(answer["output"])
    counts = []
    for lead in sorted(range(-MOST_QUANTA * QUANTUM, MOST_QUANTA * QUANTUM + 1, QUANTUM), key=abs):
        given = np.concatenate([np.zeros(max(0, lead), np.float32), heard[max(0, -lead) :]])
        made = np.concatenate([np.zeros(REBLOCKING, np.float32), native_output(given[: given.size // HOP * HOP])])
        wanted, got = made[max(0, lead) :], cleaned[max(0, -lead) :]
        size = min(wanted.size, got.size)
        counts.append(int((got[:size].view(np.uint32) != wanted[:size].view(np.uint32)).sum()))
        if counts[-1] == 0:
            break
    return min(counts)


@pytest.mark.parametrize("name", ["chromium", "firefox", "webkit"])
def test_a_clip_in_real_time(open_tab: Any, server: Server, name: str, noisy_clip: str, record_property) -> None:
    tab: Tab = open_tab(name)
    request = {"clip": noisy_clip, "samples": RECORDED}
    answer = tab.call(f"{server.origin}/pages/live.js", "playClip", request)
    assert differing_samples(answer) == 0
    record_property(f"real time in {name}, levels sank by dB", assert_cleaned(answer))


def test_the_microphone(open_tab: Any, server: Server, tmp_path: Path, record_property) -> None:
    recording = tmp_path / "microphone.wav"
    soundfile.write(recording, noisiest_clip(), RATE, subtype="PCM_16")
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    tab: Tab = open_tab("chromium", [*flags, f"--use-file-for-fake-audio-capture={recording}"])
    answer = tab.call(f"{server.origin}/pages/live.js", "useMicrophone", {"samples": RECORDED})
    assert differing_samples(answer) == 0
    record_property("fake microphone in chromium, levels sank by dB", assert_cleaned(answer))


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_the_far_end_of_a_call(open_tab: Any, server: Server, name: str, noisy_clip: str, record_property) -> None:
    tab: Tab = open_tab(name)
    heard = {}
    for cleaned in (False, True):
        request = {"clip": noisy_clip, "samples": RECORDED, "settle": SETTLE, "cleaned": cleaned}
        answer = tab.call(f"{server.origin}/pages/live.js", "callFarEnd", request)
        heard[cleaned] = decode(answer["output"])
    sank = compare_levels(heard[False], heard[True])
    record_property(f"far end of a call in {name}, levels sank by dB", sank)
    assert_sank(sank)
