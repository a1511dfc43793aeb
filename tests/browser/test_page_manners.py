"""The page's manners: axe finds nothing serious in any state, light or dark; no address but its own is allowed."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.demo import SCENES, WAIT_MS, play, screenshot
from browser.server import Server
from support import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
FIND = "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
# What only some states show.
SHOW_ALL = """() => {
  for (const hidden of document.querySelectorAll("[hidden]")) hidden.hidden = false;
  document.querySelector("details").open = true;
}"""


def grave_findings(page: Page) -> list[str]:
    """One line per finding of axe that is serious or critical."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Any = page.evaluate(FIND)
    grave = [finding for finding in found if finding["impact"] in GRAVE]
    return [f"{one['id']}: {[node['html'] for node in one['nodes']][:4]}" for one in grave]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page: Any, scheme: Any) -> None:
    page: Page = open_page("chromium")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    assert grave_findings(page) == []
    play(page, SCENES[0], "clip")
    page.locator("#switch").click()
    assert grave_findings(page) == []
    page.evaluate(SHOW_ALL)
    page.set_viewport_size({"width": 360, "height": 740})
    screenshot(page, f"chromium-everything-{scheme}")
    assert grave_findings(page) == []


def test_the_keyboard_alone_is_enough(open_page: Any) -> None:
    """Tab to a scene, start it, flip the switch by the space bar, read the picture, leave by the same way."""
    page: Page = open_page("chromium")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_have_attribute("data-state", "clip", timeout=WAIT_MS)
    page.locator("#switch").focus()
    page.keyboard.press("Space")
    expect(page.locator("body")).to_have_attribute("data-suppression", "off")
    page.locator("#before .screen").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#seen")).to_contain_text("dB before")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_have_attribute("data-paused", "yes")


def test_the_policy_forbids_every_other_address(open_tab: Any, server: Server) -> None:
    page: Page = open_tab("chromium").page
    page.goto(f"{server.origin}/demo/index.html")
    elsewhere = server.origin.replace("127.0.0.1", "localhost")
    script = "(address) => fetch(address).then(() => 'sent', () => 'refused')"
    assert page.evaluate(script, f"{server.origin}/demo/icon.svg") == "sent"
    with page.expect_console_message(lambda said: "Content Security Policy" in said.text):
        assert page.evaluate(script, f"{elsewhere}/demo/icon.svg") == "refused"
