"""What can be set on the page reaches the engine and the ear; sounds come by being dropped, or not at all."""

from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from browser.demo import SCENES, WAIT_MS, lag, play, record_ways, screenshot, wait_for_frames, wait_for_state
from browser.server import Server
from golden.signals import RATE, clip_files, read_clip
from web.faulty import build_faulty_wasm

FRAMES = 50
LIMITS_DB = {"conservative": 15, "balanced": None, "strong": None}
LIMIT_DB = 6
HOP = 480
LATENCY = 1888
"""Samples at two frames of look-ahead."""
SLOW_DB = 21
"""What makes the faulty kernel slow (tests/web/faulty.c)."""
INPUTS = "async () => (await navigator.mediaDevices.enumerateDevices()).some(({ kind }) => kind === 'audioinput')"
SET = """() => {
    const { preset, attenuationLimitDb: limit, model } = player.node;
    return { preset, limit: limit === Infinity ? null : Math.round(limit), model };
}"""
DROP = """async (address) => {
    const sound = new URL(address, location.href).href;
    const text = await (await import("/pages/media.js")).mux("video.webm", sound);
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], "dropped.webm", { type: "video/webm" }));
    for (const type of ["dragover", "drop"]) {
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
    }
}"""


def test_settings_reach_the_engine(open_page: Any) -> None:
    page: Page = open_page("chromium")
    play(page, SCENES[0], "clip")
    for preset, limit in LIMITS_DB.items():
        page.locator("#presets label").nth(list(LIMITS_DB).index(preset)).click()
        assert page.evaluate(SET) == {"preset": preset, "limit": limit, "model": "standard"}
    page.locator("#strength").fill(str(LIMIT_DB))
    assert page.evaluate(SET)["limit"] == LIMIT_DB
    expect(page.locator("#strength-value")).to_have_text(f"at most {LIMIT_DB} dB less")
    page.locator("#models").select_option("tiny")
    expect(page.locator("body")).to_have_attribute("data-model", "tiny", timeout=WAIT_MS)
    expect(page.locator("#model")).to_have_text("tiny")
    assert page.evaluate(SET)["model"] == "tiny"
    wait_for_frames(page, FRAMES)


def test_the_delay_is_what_was_chosen(open_page: Any) -> None:
    """Another node takes over while the sound plays; its latency is measured anew, and what was set is set again."""
    page: Page = open_page("chromium")
    play(page, SCENES[0], "clip")
    page.locator("#strength").fill(str(LIMIT_DB))
    for position, frames in enumerate((2, 1, 0)):
        page.locator("#delays label").nth(position).click()
        samples = str(LATENCY - HOP * (2 - frames))
        expect(page.locator("body")).to_have_attribute("data-latency", samples, timeout=WAIT_MS)
        expect(page.locator("body")).to_have_attribute("data-measured-latency", samples, timeout=WAIT_MS)
        assert page.evaluate(SET)["limit"] == LIMIT_DB
        raw, clean = record_ways(page, ["raw", "sordino"], 2 * RATE)
        assert lag(raw, clean) == 0, "in step with the unchanged sound"
    screenshot(page, "chromium-delay")


def test_the_strength_is_heard(open_page: Any) -> None:
    """The slider's left end removes nothing; its right end more than some decibels."""
    page: Page = open_page("chromium")
    play(page, "rain", "clip")
    removed = []
    for strength in ("0", "40"):
        page.locator("#strength").fill(strength)
        record_ways(page, ["raw"], RATE // 2)
        raw, clean = record_ways(page, ["raw", "sordino"], 2 * RATE)
        removed.append(float(np.square(raw - clean).mean() / np.square(raw).mean()))
    assert removed[0] < 1e-9 and removed[1] > 1e-2, removed


def test_the_model_that_took_over_is_shown(open_page: Any, server: Server) -> None:
    """The kernel is too slow for as long as the strength says so: the page names the lighter model."""
    kernel = "/demo/sordino/sordino.simd128.wasm"
    server.data[kernel] = build_faulty_wasm().read_bytes()
    try:
        page: Page = open_page("chromium", query="?engine=simd128")
        play(page, SCENES[0], "clip")
        expect(page.locator("#model")).to_have_text("standard")
        page.locator("#strength").fill(str(SLOW_DB))
        expect(page.locator("#detail")).to_contain_text("too slow", timeout=WAIT_MS)
        page.locator("#strength").fill("0")
        expect(page.locator("body")).to_have_attribute("data-model", "tiny", timeout=WAIT_MS)
        expect(page.locator("#model")).to_have_text("tiny")
    finally:
        del server.data[kernel]


def test_a_video_is_dropped(open_page: Any, server: Server, tmp_path: Any) -> None:
    soundfile.write(tmp_path / "noisy.wav", read_clip(clip_files()[0])[: 4 * RATE], RATE, subtype="PCM_16")
    server.data["/files/noisy.wav"] = (tmp_path / "noisy.wav").read_bytes()
    page: Page = open_page("chromium")
    page.evaluate(DROP, "/files/noisy.wav")
    wait_for_state(page, "file")
    wait_for_frames(page, FRAMES)
    assert page.evaluate("document.querySelector('#media').videoWidth") > 0
    expect(page.locator("#file-name")).to_have_text("dropped.webm")


def test_there_is_no_microphone(open_page: Any) -> None:
    page: Page = open_page("chromium", ["--use-fake-ui-for-media-stream"])
    if page.evaluate(INPUTS):
        pytest.skip("this machine has a microphone")
    page.locator("button[data-source=microphone]").click()
    wait_for_state(page, "no-microphone")
    expect(page.locator("#status")).to_contain_text("Connect one")
    screenshot(page, "chromium-no-microphone")
    play(page, SCENES[0], "clip")
