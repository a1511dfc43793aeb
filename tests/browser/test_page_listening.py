"""Listening on the page: the switch leaves no gap, all systems play in step, the blind test keeps score."""

import math
import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from browser.demo import WAIT_MS, lag, play, record_ways, screenshot
from golden.signals import RATE, Samples

SECONDS = 3
FLIPS = 8
FADE_SAMPLES = 480
QUANTUM = 128
# Where the two ways differ by more than this, it shows which of them is heard.
TELLING = 1e-3
PEERS = ["rnnoise", "gtcrn"]
LATENCY = "(peer) => Number(document.body.dataset[`latency${peer}`])"


def longest_run(flags: np.ndarray) -> int:
    """The most neighbouring samples that are flagged."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int(np.max(edges[1::2] - edges[::2], initial=0))


def speech_level_db(samples: Samples) -> float:
    """Level of the loudest third of blocks of 20 ms."""
    blocks = samples[: samples.size // 960 * 960].reshape(-1, 960).astype(np.float64)
    power = np.sort((blocks**2).mean(axis=1))
    return float(10 * np.log10(power[-power.size // 3 :].mean()))


def test_the_switch_is_seamless(open_page: Any, record_property) -> None:
    """Every sample that is heard lies between the aligned raw and clean sample; only the fades lie strictly between."""
    page: Page = open_page("chromium")
    play(page, "street", "clip")
    raw, clean, heard = record_ways(page, ["raw", "sordino", "mix"], SECONDS * RATE, FLIPS)
    share = (heard - raw) / np.where(np.abs(clean - raw) > TELLING, clean - raw, np.nan)
    assert np.nanmin(share) > -0.01 and np.nanmax(share) < 1.01
    assert np.nanmin(share) < 0.001 and np.nanmax(share) > 0.999, "both were heard"
    within = np.nan_to_num((share > 0.01) & (share < 0.99))
    assert within.sum() <= FLIPS * (FADE_SAMPLES + QUANTUM)
    assert longest_run(heard == 0) < QUANTUM
    loss_db = speech_level_db(raw) - speech_level_db(clean)
    record_property("page, street: speech and noise together sink by", f"{loss_db:.2f} dB")


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
