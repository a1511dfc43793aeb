"""What the page measures, keeps and sends: latency, benchmark, recordings, files, a call to itself."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest
import soundfile
from playwright.sync_api import Page, expect

from browser.demo import SCENES, WAIT_MS, lag, play, play_file, screenshot, wait_for_state
from golden.signals import RATE, clip_files, read_clip

PACKETS = 100
AUDIBLE_DB = -60
RECORDED_S = 2


def test_the_benchmark_gives_a_table_to_share(open_page: Any, record_property) -> None:
    page: Page = open_page("chromium")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    play(page, SCENES[0], "clip")
    body = page.locator("body")
    expect(body).to_have_attribute("data-measured-latency", body.get_attribute("data-latency") or "", timeout=WAIT_MS)
    page.locator("#benchmark").click()
    expect(page.locator("#benchmark-status")).to_have_text("Done.", timeout=2 * WAIT_MS)
    page.locator("#benchmark-copy").click()
    expect(page.locator("#benchmark-status")).to_contain_text("Copied")
    table: str = page.evaluate("() => navigator.clipboard.readText()")
    record_property("benchmark in the page", table)
    assert re.search(r"\| 10 ms frame, back to back \| \d+ µs", table)
    assert re.search(r"\| latency, by an impulse \| \d+\.\d ms \(\d+ samples\)", table)
    for system in ("Sordino", "RNNoise", "GTCRN"):
        assert re.search(rf"a whole graph with {system} \| \d+ . real time", table)
    page.locator("#histogram").scroll_into_view_if_needed()
    screenshot(page, "chromium-benchmark")


def test_a_recording_is_kept_aligned_and_compared(open_page: Any, tmp_path: Path) -> None:
    page: Page = open_page("chromium")
    play(page, "rain", "clip")
    page.locator("#record").click()
    page.wait_for_function("(least) => Number(document.body.dataset.recorded) >= least", arg=RECORDED_S)
    page.locator("#record").click()
    kept = {}
    for end in ("before", "after"):
        with page.expect_download() as download:
            page.locator(f"#recording-{end}").click()
        download.value.save_as(tmp_path / f"{end}.wav")
        kept[end], rate = soundfile.read(tmp_path / f"{end}.wav", dtype="float32")
        assert rate == RATE
    assert kept["before"].size == kept["after"].size >= RECORDED_S * RATE
    assert lag(kept["before"], kept["after"]) == 0
    assert (kept["after"] ** 2).sum() < (kept["before"] ** 2).sum()
    page.locator("#recording-play").click()
    wait_for_state(page, "compare")
    screenshot(page, "chromium-recording")


KEEP_BLOB = """() => {
    const address = URL.createObjectURL.bind(URL);
    URL.createObjectURL = (blob) => address((window.keptBlob = blob));
}"""
READ_BLOB = """() => new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.split(",")[1]);
    reader.readAsDataURL(window.keptBlob);
})"""


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_a_file_is_heard_cleaned_and_kept(open_page: Any, tmp_path: Path, name: str) -> None:
    source = tmp_path / "noisy.wav"
    soundfile.write(source, read_clip(clip_files()[0]), RATE, subtype="PCM_16")
    page: Page = open_page(name)
    play_file(page, source)
    page.locator("#file-clean").click()
    expect(page.locator("body")).to_have_attribute("data-file", "done", timeout=WAIT_MS)
    screenshot(page, f"{name}-file")
    if name == "chromium":
        with page.expect_download() as download:
            page.locator("#file-download").click()
        download.value.save_as(tmp_path / "clean.wav")
    else:  # the driver of Firefox reports no downloads
        page.evaluate(KEEP_BLOB)
        page.locator("#file-download").click()
        (tmp_path / "clean.wav").write_bytes(base64.b64decode(page.evaluate(READ_BLOB)))
    assert soundfile.info(tmp_path / "clean.wav").frames == soundfile.info(source).frames
    page.locator("#file-play").click()
    wait_for_state(page, "compare")


def test_a_call_to_itself_carries_the_sound(open_page: Any, record_property) -> None:
    page: Page = open_page("chromium")
    play(page, "fan", "clip")
    page.locator("#call-button").click()
    expect(page.locator("body")).to_have_attribute("data-call", "on", timeout=WAIT_MS)
    page.wait_for_function("(least) => Number(document.body.dataset.packets) >= least", arg=PACKETS)
    expect(page.locator("#call-codec")).to_contain_text("opus", ignore_case=True)
    page.wait_for_function("(db) => document.querySelector('#before meter').value > db", arg=AUDIBLE_DB)
    page.wait_for_function("(db) => document.querySelector('#after meter').value > db", arg=AUDIBLE_DB)
    record_property("call", page.locator("#call-figures").inner_text())
    screenshot(page, "chromium-call")
    page.locator("#call-button").click()
    expect(page.locator("body")).to_have_attribute("data-call", "off")
    wait_for_state(page, "clip")
