"""How heavy the page is: what the first sound waits for, and whether drawing costs the audio anything."""

from typing import Any

import pytest
from playwright.sync_api import Page

from browser.demo import SCENES, play, screenshot, wait_for_frames, wait_for_state

LINE_BITS_S = 10e6
FIRST_SOUND_S = 2
FRAMES_PER_S = 100
SLOWER = 4
LONG_S = 300
# Every file that has come so far, once, uncompressed as the test's server sends it.
TRANSFERRED = """() => {
  const entries = performance.getEntriesByType("resource");
  const files = new Map(entries.map(({ name, encodedBodySize }) => [name, encodedBodySize]));
  return [...files.values()].reduce((sum, size) => sum + size, 0);
}"""
UNDERRUNS = "() => player.context.playbackStats.underrunEvents"


def test_the_first_sound_does_not_wait_for_much(open_page: Any, record_property) -> None:
    """Nothing that a first click needs, the engine and its model included, takes a line of 10 Mbit/s two seconds."""
    page: Page = open_page("chromium")
    play(page, SCENES[0], "clip")
    sent = page.evaluate(TRANSFERRED)
    record_property("bytes before the first clean sound, uncompressed", sent)
    assert 100_000 < sent < LINE_BITS_S / 8 * FIRST_SOUND_S


def test_drawing_costs_the_audio_nothing(open_page: Any, request: pytest.FixtureRequest, record_property) -> None:
    """Five minutes of everything at once on a processor made four times slower: the loudspeaker never runs dry."""
    if not request.config.getoption("long", False):
        pytest.skip("takes five minutes: --long")
    page: Page = open_page("chromium")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    play(page, SCENES[0], "clip")
    wait_for_state(page, "clip")
    page.locator("#histogram").scroll_into_view_if_needed()
    before = page.evaluate(UNDERRUNS)
    page.set_default_timeout(2000 * LONG_S)
    wait_for_frames(page, LONG_S * FRAMES_PER_S)
    underruns = page.evaluate(UNDERRUNS) - before
    record_property("underruns in five minutes", underruns)
    record_property("pictures per second", page.locator("#fps").inner_text())
    screenshot(page, "chromium-long")
    assert underruns == 0
