"""The page: it loads, plays every source, switches, says what runs, and says what is wrong; screenshots are kept."""

import re
from pathlib import Path
from typing import Any

import pytest
import soundfile
from playwright.sync_api import Page, expect
from selenium.webdriver.support.wait import WebDriverWait

from browser.demo import FRAMES, MICROPHONE_FLAGS, SCENES, SCREENSHOTS, WAIT_MS, play, screenshot, wait_for_frames
from browser.server import Server
from golden.signals import RATE, clip_files, read_clip

WIDER = """() => [document.documentElement, ...document.querySelectorAll(".card")]
    .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
    .map(({ className, scrollWidth }) => `${className}: ${scrollWidth} px`)"""


@pytest.mark.parametrize(("name", "scenes"), [("chromium", SCENES), ("firefox", SCENES[-2:])])
def test_the_scenes_play_and_the_switch_switches(open_page: Any, name: str, scenes: list[str], record_property) -> None:
    page: Page = open_page(name)
    body = page.locator("body")
    expect(body).to_have_attribute("data-state", "idle")
    screenshot(page, f"{name}-idle")
    assert len(SCENES) == 6
    for scene in scenes:
        play(page, scene, "clip")
        expect(page.locator(f"button[data-source={scene}]")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("#credit")).to_have_text(re.compile(r"(CC0|MIT|public domain)"))
    screenshot(page, f"{name}-scene")
    expect(page.locator("#latency")).to_have_text(re.compile(r"\d"))
    expect(page.locator("#cost")).to_have_text(re.compile(r"\d"))
    expect(page.locator("#engine")).to_have_text(re.compile(r"\w"))
    expect(page.locator("#model")).to_have_text(re.compile(r"\w"))
    shown = {key: body.get_attribute(f"data-{key}") for key in ("engine", "model", "latency")}
    record_property(f"page in {name}", shown)
    assert shown["engine"] == "relaxed" and shown["model"] == "standard"
    page.locator("#switch").click()
    expect(body).to_have_attribute("data-suppression", "off")
    wait_for_frames(page, FRAMES)
    screenshot(page, f"{name}-off")
    page.keyboard.press("Space")
    page.locator("#switch").click()
    page.locator(f"button[data-source={SCENES[-1]}]").click()
    expect(body).to_have_attribute("data-state", "idle")


def test_the_page_in_webkit(open_tab: Any, server: Server, tmp_path: Path) -> None:
    """WebKit's driver has no expectations of Playwright's kind, so this is the short tour, and what WebKitGTK lacks."""
    driver = open_tab("webkit").driver
    driver.get(f"{server.origin}/demo/index.html")
    body, wait = driver.find_element("tag name", "body"), WebDriverWait(driver, WAIT_MS / 1000)

    def find(selector: str) -> Any:
        return driver.find_element("css selector", selector)

    def wait_for_data(**wanted: str) -> None:
        wait.until(lambda _: {name: body.get_attribute(f"data-{name}") for name in wanted} == wanted, str(wanted))

    wait_for_data(state="idle", painter="worker")
    find(f"button[data-source={SCENES[0]}]").click()
    wait_for_data(state="clip", engine="simd128")
    wait.until(lambda _: int(body.get_attribute("data-frames") or 0) >= FRAMES)
    find("#switch").click()
    wait_for_data(suppression="off")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    driver.save_screenshot(SCREENSHOTS / "webkit-clip.png")
    find("#call-button").click()
    wait.until(lambda _: find("#call-status").text == "This browser has no WebRTC.")
    driver.execute_script("document.querySelector('#histogram').scrollIntoView()")
    wait.until(lambda _: find("#histogram canvas"))
    soundfile.write(tmp_path / "noisy.wav", read_clip(clip_files()[0])[:RATE], RATE, subtype="PCM_16")
    find("#file").send_keys(str(tmp_path / "noisy.wav"))
    wait_for_data(state="file")
    find("#file-clean").click()
    wait_for_data(file="done")


def test_the_engine_in_the_address(open_page: Any) -> None:
    page: Page = open_page("chromium", query="?engine=simd128")
    play(page, SCENES[0], "clip")
    expect(page.locator("body")).to_have_attribute("data-engine", "simd128")


def test_the_microphone(open_page: Any, tmp_path: Path) -> None:
    recording = tmp_path / "microphone.wav"
    soundfile.write(recording, read_clip(clip_files()[0]), RATE, subtype="PCM_16")
    page: Page = open_page("chromium", [*MICROPHONE_FLAGS, f"--use-file-for-fake-audio-capture={recording}"])
    play(page, "microphone", "microphone")
    screenshot(page, "chromium-microphone")


def test_the_microphone_is_refused(open_page: Any) -> None:
    page: Page = open_page("chromium", ["--use-fake-device-for-media-stream", "--deny-permission-prompts"])
    page.locator("button[data-source=microphone]").click()
    expect(page.locator("body")).to_have_attribute("data-state", "refused", timeout=WAIT_MS)
    expect(page.locator("#status")).to_contain_text("microphone")
    screenshot(page, "chromium-refused")
    play(page, SCENES[0], "clip")


def test_a_narrow_screen(open_page: Any) -> None:
    page: Page = open_page("chromium")
    page.set_viewport_size({"width": 360, "height": 740})
    screenshot(page, "chromium-narrow")
    assert page.evaluate(WIDER) == [], "wider than a screen of 360 px, or than the card they lie in"
