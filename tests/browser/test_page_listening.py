"""Listening on the page: no gap, speech equally loud, all systems in step, and the blind test keeps score."""

import base64
import json
import math
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from browser.demo import SCENES, WAIT_MS, lag, play, record_ways, screenshot
from golden.signals import CLIPS, RATE, Samples
from sordino import denoise

SECONDS = 3
FLIPS = 8
FADE_SAMPLES = 480
QUANTUM = 128
# Where the two ways differ by more than this, it shows which of them is heard.
TELLING = 1e-3
PEERS = ["rnnoise", "gtcrn"]
MOST_DIFFERENCE_DB = 1
KNOWN_LOSS_DB = -20 * math.log10(0.7)
LATENCY = "(peer) => Number(document.body.dataset[`latency${peer}`])"


def longest_run(flags: np.ndarray) -> int:
    """The most neighbouring samples that are flagged."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def render(page: Page, scene: str, way: str, matched: bool, loops: int = 1) -> tuple[Samples, Samples]:
    """The last of some loops of a scene as the page's graph plays it, and the scene; both in step."""
    script = """async (request) => (await import("/pages/graph.js")).renderHeard(request)"""
    answer: Any = page.evaluate(script, {"scene": scene, "way": way, "matched": matched, "loops": loops})
    heard, source = (np.frombuffer(base64.b64decode(answer[name]), np.float32) for name in ("heard", "source"))
    begin = (loops - 1) * source.size + answer["latency"]
    return heard[begin : begin + source.size], source


def speech_level_db(samples: Samples, seconds: str) -> float:
    """Level where the scene's speech is active, as "from-to from-to"."""
    ranges = [[round(float(edge) * RATE) for edge in part.split("-")] for part in seconds.split()]
    power = np.concatenate([samples[begin:end].astype(np.float64) ** 2 for begin, end in ranges])
    return float(10 * np.log10(power.mean()))


def test_the_switch_is_seamless(open_page: Any) -> None:
    """Every sample that is heard lies between the aligned raw and clean sample; only the fades lie strictly between."""
    page: Page = open_page("chromium")
    page.locator("#match").uncheck()
    play(page, "street", "clip")
    raw, clean, heard = record_ways(page, ["raw", "sordino", "mix"], SECONDS * RATE, FLIPS)
    share = (heard - raw) / np.where(np.abs(clean - raw) > TELLING, clean - raw, np.nan)
    assert np.nanmin(share) > -0.01 and np.nanmax(share) < 1.01
    assert np.nanmin(share) < 0.001 and np.nanmax(share) > 0.999, "both were heard"
    within = np.nan_to_num((share > 0.01) & (share < 0.99))
    assert within.sum() <= FLIPS * (FADE_SAMPLES + QUANTUM)
    gaps = (heard == 0) & (raw != 0)
    assert longest_run(gaps) < QUANTUM, f"gap near sample {int(np.argmax(gaps))} of {heard.size}"


def test_speech_is_equally_loud_before_and_after(open_page: Any, record_property) -> None:
    """Beside the level that the speech was mixed with; what is left of the noise there counts as well."""
    scenes = json.loads((CLIPS / "scenes.json").read_text(encoding="utf-8"))
    page: Page = open_page("chromium")
    play(page, SCENES[0], "clip")
    page.locator(f"button[data-source={SCENES[0]}]").click()
    plain, matched = {}, {}
    for scene in scenes:
        heard, source = render(page, scene["name"], "sordino", matched=True, loops=2)
        seconds, level_db = scene["spoken"]["seconds"], scene["spoken"]["levelDb"]
        plain[scene["name"]] = round(speech_level_db(denoise(source, RATE), seconds) - level_db, 2)
        matched[scene["name"]] = round(speech_level_db(heard, seconds) - level_db, 2)
    record_property("clean speech against the speech that was mixed in, dB, as it is", plain)
    record_property("clean speech against the speech that was mixed in, dB, in the page", matched)
    assert len(matched) == 6 and all(abs(db) < MOST_DIFFERENCE_DB for db in matched.values())


def test_the_match_finds_a_known_loss_and_leaves_the_rest(open_page: Any) -> None:
    page: Page = open_page("chromium")
    play(page, "rain", "clip")
    raw, source = render(page, "rain", "raw", matched=True)
    settled = slice(RATE, None)
    assert np.array_equal(raw[settled], source[settled])
    lowered = {matched: render(page, "rain", "rnnoise", matched, loops=2)[0] for matched in (False, True)}
    raised_db = 10 * np.log10((lowered[True] ** 2).sum() / (lowered[False] ** 2).sum())
    assert abs(raised_db - KNOWN_LOSS_DB) < 0.05


def test_raw_and_clean_are_aligned_to_the_sample(open_page: Any) -> None:
    """While the engine passes everything on, its way carries what the raw way carries, sample for sample."""
    page: Page = open_page("chromium")
    play(page, "cafe", "clip")
    page.evaluate("() => { player.node.bypass = true; }")
    record_ways(page, ["raw", "sordino"], RATE)
    raw, clean = record_ways(page, ["raw", "sordino"], RATE)
    assert np.any(raw != 0) and np.array_equal(raw, clean)


@pytest.mark.parametrize("name", ["chromium"])
def test_the_peers_play_in_step_and_the_blind_test_keeps_score(open_page: Any, name: str, record_property) -> None:
    page: Page = open_page(name)
    play(page, "rain", "clip")
    for position, peer in enumerate(PEERS, start=1):
        page.locator("#systems label").nth(position).click()
        expect(page.locator("body")).to_have_attribute("data-cleaner", peer, timeout=WAIT_MS)
        expect(page.locator("#systems-status")).to_contain_text("latency")
    record_property("latency of the peers, samples", [page.evaluate(LATENCY, name) for name in ("RNNoise", "GTCRN")])
    screenshot(page, f"{name}-peers")
    raw, *cleaned = record_ways(page, ["raw", "sordino", *PEERS], SECONDS * RATE)
    lags = [lag(raw, track) for track in cleaned]
    record_property("lags behind the raw way, samples", lags)
    assert lags[0] == 0 and max(map(abs, lags)) <= 1
    assert page.locator(".whose:visible").count() == 4, "voice, pitch and bands are Sordino's, and said to be"
    page.locator("#systems label").first.click()
    expect(page.locator(".whose:visible")).to_have_count(0)
    walk_through_blind_test(page)
    screenshot(page, f"{name}-blind")


def walk_through_blind_test(page: Page) -> None:
    """Nine answers at random: the score counts them, p is the binomial tail, and the end says which was which."""
    score = page.locator("#blind-score")
    page.locator("#blind-start").click()
    expect(page.locator("body")).to_have_attribute("data-blind", "on", timeout=WAIT_MS)
    for letter in "ABX":
        page.locator(f"#blind [data-letter={letter}]").click()
        expect(page.locator(f"#blind [data-letter={letter}]")).to_have_attribute("aria-pressed", "true")
    right = 0
    for trial in range(1, 10):
        page.locator("#blind [data-answer=A]").click()
        right += score.inner_text().startswith("Right")
        expect(score).to_contain_text(f"{right} of {trial} right")
    said = re.search(r"p = ([\d.]+)", score.inner_text())
    tail = sum(math.comb(9, k) for k in range(right, 10)) / 2**9
    assert said and abs(float(said[1]) - tail) < 0.001
    page.locator("#blind-end").click()
    expect(score).to_contain_text(re.compile(r"A was (Sordino|RNNoise), B was (Sordino|RNNoise)"))
