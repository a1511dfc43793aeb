"""The page: it loads, plays every source, switches, says what runs, and says what is wrong; screenshots are kept."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile
from playwright.sync_api import Page, expect
from selenium.webdriver.support.wait import WebDriverWait

from browser.browsers import PlaywrightTab, WebKitTab
from browser.server import Server
from golden.signals import RATE, clip_files, read_clip
from support import BUILD

SCREENSHOTS = BUILD / "screenshots"
FRAMES = 100
WAIT_MS = 30_000
# Playwright puts this style into a page it takes a picture of; Firefox reports that the page's own policy forbids it.
PICTURE_STYLE = "sha256-YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT+SmwNZWA="
MICROPHONE_FLAGS = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


@pytest.fixture
def open_page(open_tab: Any, server: Server) -> Iterator[Any]:
    """Opens the page in a browser of its own: open_page(name, flags, query) -> Page; in the end nothing has failed."""
    errors: list[str] = []

    def start(name: str, flags: list[str] | None = None, query: str = "") -> Page:
        tab: PlaywrightTab = open_tab(name, flags or [])
        page = tab.page
        page.on("pageerror", lambda error: errors.append(f"exception: {error}"))
        page.on("console", lambda said: errors.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("requestfailed", lambda request: errors.append(f"request failed: {request.url}"))
        page.set_default_timeout(WAIT_MS)
        page.goto(f"{server.origin}/demo/index.html{query}")
        return page

    yield start
    assert not [error for error in errors if PICTURE_STYLE not in error]


def play(page: Page, source: str, state: str) -> None:
    """Choose a source and wait until frames have been worked off."""
    page.locator(f"button[data-source={source}]").click()
    expect(page.locator("body")).to_have_attribute("data-state", state, timeout=WAIT_MS)
    wait_for_frames(page, FRAMES)


def wait_for_frames(page: Page, more: int) -> None:
    """Wait until the node has worked off so many frames more than now."""
    page.wait_for_function(
        """([from, more]) => Number(document.body.dataset.frames ?? 0) >= from + more""",
        arg=[int(page.locator("body").get_attribute("data-frames") or 0), more],
    )


def screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_every_clip_plays_and_the_switch_switches(open_page: Any, name: str, record_property) -> None:
    page: Page = open_page(name)
    body = page.locator("body")
    expect(body).to_have_attribute("data-state", "idle")
    screenshot(page, f"{name}-idle")
    for clip in clip_files():
        play(page, clip.stem, "clip")
        expect(page.locator(f"button[data-source={clip.stem}]")).to_have_attribute("aria-pressed", "true")
        screenshot(page, f"{name}-{clip.stem}")
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
    page.locator(f"button[data-source={clip_files()[-1].stem}]").click()
    expect(body).to_have_attribute("data-state", "idle")


def test_the_page_in_webkit(open_tab: Any, server: Server) -> None:
    """WebKit's driver has no expectations of Playwright's kind, so this is the short tour: SIMD128, and it plays."""
    tab: WebKitTab = open_tab("webkit")
    tab.open(f"{server.origin}/demo/index.html")
    tab.driver.find_element("css selector", f"button[data-source={clip_files()[0].stem}]").click()
    body = tab.driver.find_element("tag name", "body")
    wait = WebDriverWait(tab.driver, WAIT_MS / 1000)
    wait.until(lambda _: int(body.get_attribute("data-frames") or 0) >= FRAMES)
    assert (body.get_attribute("data-state"), body.get_attribute("data-engine")) == ("clip", "simd128")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    tab.driver.save_screenshot(SCREENSHOTS / "webkit-clip.png")


def test_the_engine_in_the_address(open_page: Any) -> None:
    page: Page = open_page("chromium", query="?engine=simd128")
    play(page, clip_files()[0].stem, "clip")
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
    play(page, clip_files()[0].stem, "clip")


def test_a_narrow_screen(open_page: Any) -> None:
    page: Page = open_page("chromium")
    page.set_viewport_size({"width": 360, "height": 740})
    screenshot(page, "chromium-narrow")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"the page is {overflow} px wider than a screen of 360 px"
