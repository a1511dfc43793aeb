"""What the tests of the page share: choose a source, wait, take a picture, listen to the graph from inside."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

from golden.signals import CLIPS, Samples
from support import BUILD

SCREENSHOTS = BUILD / "screenshots"
SCENES = [scene["name"] for scene in json.loads((CLIPS / "scenes.json").read_text(encoding="utf-8"))]
FRAMES = 100
WAIT_MS = 60_000
# Playwright puts this style into a page it takes a picture of; Firefox reports that the page's own policy forbids it.
PICTURE_STYLE = "sha256-YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT+SmwNZWA="
MICROPHONE_FLAGS = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]


def play(page: Page, source: str, state: str) -> None:
    """Choose a source and wait until frames have been worked off."""
    page.locator(f"button[data-source={source}]").click()
    wait_for_state(page, state)
    wait_for_frames(page, FRAMES)


def play_file(page: Page, file: Path) -> None:
    """Choose a file, as the dialog would, and wait until frames have been worked off."""
    page.locator("#file").set_input_files(file)
    wait_for_state(page, "file")
    wait_for_frames(page, FRAMES)


def wait_for_state(page: Page, state: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", state, timeout=WAIT_MS)


def wait_for_frames(page: Page, more: int) -> None:
    """Wait until the node has worked off so many frames more than now."""
    page.wait_for_function(
        """([from, more]) => Number(document.body.dataset.frames ?? 0) >= from + more""",
        arg=[int(page.locator("body").get_attribute("data-frames") or 0), more],
    )


def screenshot(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def record_ways(page: Page, ways: list[str], samples: int, flips: int = 0) -> list[Samples]:
    """What flows through the page's graph: one signal per way, in step, while the switch is flipped so often."""
    script = """async (request) => (await import("/pages/graph.js")).recordWays(request)"""
    answer: Any = page.evaluate(script, {"ways": ways, "samples": samples, "flips": flips})
    return [np.frombuffer(base64.b64decode(track), np.float32) for track in answer]


def lag(reference: Samples, signal: Samples, most: int = 2000) -> int:
    """By how many samples a signal lags behind a reference (negative: it is ahead), by cross-correlation."""
    size = 2 ** int(np.ceil(np.log2(2 * reference.size)))
    spectrum = np.conj(np.fft.rfft(reference, size)) * np.fft.rfft(signal, size)
    correlation = np.fft.irfft(spectrum, size)
    lags = np.concatenate([np.arange(most + 1), np.arange(-most, 0)])
    return int(lags[np.argmax(correlation[lags])])
