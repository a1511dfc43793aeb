"""The page and a microphone that does not run at 48 kHz, in browsers that convert rates and in one that does not."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
from playwright.sync_api import Page, expect

from browser import browsers
from browser.demo import MICROPHONE_FLAGS, SCENES, WAIT_MS, play, play_file, record_ways, screenshot, wait_for_state
from browser.server import Server
from browser.test_live import LEAST_REDUCTION_DB, assert_sank, compare_levels, noisiest_clip
from golden.signals import RATE
from support import unavailable

OTHER_RATE = 44_100
RECORDED_S = 9
"""All of the clip, so that it does not matter where in it the recording begins."""
LOOPS = 30
ATTEMPTS = 10
# Older versions of Firefox play a microphone only in a context of the device's rate; newer ones, in any.
REFUSE = """(() => {
  const listen = AudioContext.prototype.createMediaStreamSource;
  AudioContext.prototype.createMediaStreamSource = function (stream) {
    if (this.sampleRate !== %d) throw new DOMException("different sample-rate", "NotSupportedError");
    return listen.call(this, stream);
  };
})();"""
KEEP_STREAMS = """(() => {
  const open = MediaDevices.prototype.getUserMedia;
  globalThis.opened = [];
  MediaDevices.prototype.getUserMedia = async function (wanted) {
    const stream = await open.call(this, wanted);
    opened.push(stream);
    return stream;
  };
})();"""
STATES = "() => opened.flatMap((stream) => stream.getTracks()).map(({ readyState }) => readyState)"


@pytest.fixture
def firefox_page(playwright: Any, server: Server, tmp_path: Path) -> Iterator[Any]:
    """Opens the page in Firefox where all devices run at OTHER_RATE and noisy speech comes from the microphone:
    firefox_page(script) -> Page; the script runs before the page's own.
    """
    for wanted in ("firefox", "audio sink"):
        if reason := browsers.missing(wanted):
            unavailable(reason)
    speech = soxr.resample(noisiest_clip(), RATE, OTHER_RATE)
    np.tile(speech, LOOPS).tofile(tmp_path / "speech.f32")
    command = ["pacat", "--format=float32le", f"--rate={OTHER_RATE}", "--channels=1", str(tmp_path / "speech.f32")]
    with contextlib.ExitStack() as stack:
        environment = stack.enter_context(browsers.audio_sink(OTHER_RATE))
        speaker = stack.enter_context(subprocess.Popen(command, env={**os.environ, **environment}))
        stack.callback(speaker.terminate)
        browser = stack.enter_context(contextlib.closing(browsers.launch(playwright, "firefox", (), environment)))

        def start(script: str) -> Page:
            page: Page = browser.new_page()
            page.set_default_timeout(WAIT_MS)
            page.add_init_script(script)
            page.goto(f"{server.origin}/demo/index.html")
            return page

        yield start


def levels_sank(page: Page) -> dict[str, float]:
    """By how many dB, once something is cleaned: a busy machine lets the unchanged sound pass for a while."""
    for _ in range(ATTEMPTS):
        sank = compare_levels(*record_ways(page, ["raw", "sordino"], RECORDED_S * OTHER_RATE))
        if sank["pauses"] > LEAST_REDUCTION_DB:
            break
    return sank


def test_the_microphone_at_the_only_rate_the_browser_plays(firefox_page: Any, tmp_path: Path, record_property) -> None:
    """The page plays at that rate, says so, and goes back to 48 kHz for all else."""
    soundfile.write(tmp_path / "noisy.wav", noisiest_clip(), RATE, subtype="PCM_16")
    page: Page = firefox_page(REFUSE % OTHER_RATE)
    body = page.locator("body")
    play_file(page, tmp_path / "noisy.wav")
    expect(body).to_have_attribute("data-rate", str(RATE))
    play(page, "microphone", "microphone")
    expect(body).to_have_attribute("data-rate", str(OTHER_RATE))
    sank = levels_sank(page)
    record_property(f"microphone at {OTHER_RATE} Hz in firefox, levels sank by dB", sank)
    assert_sank(sank)
    expect(page.locator("#detail")).to_contain_text("44.1 kHz", timeout=WAIT_MS)
    page.locator("#systems label").nth(1).click()
    expect(page.locator("#systems-status")).to_contain_text("RNNoise works at 48 kHz only")
    expect(body).to_have_attribute("data-cleaner", "sordino")
    expect(body).to_have_attribute("data-measured-latency", body.get_attribute("data-latency") or "", timeout=WAIT_MS)
    screenshot(page, "firefox-microphone-other-rate")
    play_file(page, tmp_path / "noisy.wav")
    expect(body).to_have_attribute("data-rate", str(RATE))
    expect(page.locator("#detail")).to_be_hidden()


def test_a_browser_that_converts_plays_the_microphone_as_all_else(firefox_page: Any, record_property) -> None:
    page: Page = firefox_page("")
    assert page.evaluate("new AudioContext().sampleRate") == OTHER_RATE
    play(page, "microphone", "microphone")
    expect(page.locator("body")).to_have_attribute("data-rate", str(RATE))
    sank = levels_sank(page)
    record_property(f"microphone of {OTHER_RATE} Hz at {RATE} Hz in firefox, levels sank by dB", sank)
    assert_sank(sank)


def test_no_rate_will_do(open_tab: Any, server: Server) -> None:
    """The page says so and lets the microphone go; scenes play as before."""
    page: Page = open_tab("chromium", MICROPHONE_FLAGS).page
    page.add_init_script(KEEP_STREAMS + REFUSE % 0)
    page.goto(f"{server.origin}/demo/index.html")
    page.locator("button[data-source=microphone]").click()
    wait_for_state(page, "error")
    expect(page.locator("#detail")).to_contain_text("can listen")
    assert page.evaluate(STATES) == ["ended"]
    play(page, SCENES[0], "clip")
