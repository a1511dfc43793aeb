"""The frame path with frames of any length, rate and channel count: the reference's samples, and the right times."""

import base64
import itertools
from typing import Any

import numpy as np
import pytest

from browser.browsers import Tab
from browser.server import Server
from golden.signals import clip_files, read_clip
from sordino.run.engines import open_engine
from web.sessions import RATE, Samples

SECONDS = 1
BROWSER_ROUNDS_US = 250
"""Chromium hands on time stamps in steps of 0.1 ms."""
SAME_RATE = {
    "441 and 480 in turns": [[441, RATE, 1], [480, RATE, 1]],
    "long": [[4096, RATE, 1]],
    "short": [[1, RATE, 1], [7, RATE, 1], [100, RATE, 1]],
    "all kinds": [[n, RATE, 1] for n in (1, 4096, 479, 480, 481, 960, 128, 33)],
    "one and two channels": [[480, RATE, 1], [441, RATE, 2], [480, RATE, 2], [441, RATE, 1]],
}
RATES = {
    "44.1 and 48 kHz in turns": [[441, 44_100, 1], [480, 48_000, 1]],
    "three rates": [[480, 48_000, 1]] * 7 + [[160, 16_000, 1]] * 5 + [[441, 44_100, 2]] * 3,
    "beyond what kernels know": [[40, 4_000, 1]],
}


@pytest.fixture
def page(server: Server) -> str:
    return f"{server.origin}/pages/lengths.js"


def feed(live: Tab, server: Server, page: str, signal: Samples, pattern: list[list[float]]) -> tuple[Samples, Any]:
    server.data["/lengths.f32"] = signal.tobytes()
    answer = live.call(page, "feed", {"samples": "/lengths.f32", "pattern": pattern, "total": signal.size})
    return np.frombuffer(base64.b64decode(answer["output"]), np.float32), answer


@pytest.mark.parametrize("name", SAME_RATE)
def test_frames_of_any_length(live: Tab, server: Server, page: str, name: str) -> None:
    """The bytes of the kernel, as whole blocks of 10 ms with the times of their first samples; no new start."""
    clip = read_clip(clip_files()[0])[: SECONDS * RATE]
    output, answer = feed(live, server, page, clip, SAME_RATE[name])
    wanted = open_engine("native").process(clip)[: output.size]
    assert output.size > clip.size - 2 * 4096 and answer["log"] == [] and answer["state"] == "suppressing"
    if "channels" in name:
        assert np.abs(output - wanted).max() < 0.02 and {part[2] for part in answer["parts"]} == {1, 2}
    else:
        assert np.array_equal(output, wanted)
    begins = np.cumsum([0, *(part[0] for part in answer["parts"][:-1])]) / RATE
    assert np.abs(1e6 * begins - [part[3] for part in answer["parts"]]).max() < BROWSER_ROUNDS_US


def test_a_gap(live: Tab, server: Server, page: str) -> None:
    """Samples go on as if there were none; their times have it."""
    clip = read_clip(clip_files()[0])[:RATE]
    pattern = [[480, RATE, 1]] * 30 + [[480, RATE, 1, 0.5]]
    output, answer = feed(live, server, page, clip, pattern)
    assert np.array_equal(output, open_engine("native").process(clip)[: output.size]) and answer["log"] == []
    steps = np.diff([part[3] for part in answer["parts"]])
    gaps = steps > 100_000
    assert np.abs(steps - np.where(gaps, 510_000, 10_000)).max() < BROWSER_ROUNDS_US and gaps.sum() == 3


@pytest.mark.parametrize("name", RATES)
def test_rates_that_change(live: Tab, server: Server, page: str, name: str) -> None:
    """Steady noise is removed all the while, in one stream of one rate that neither runs away nor stands still."""
    noise = (0.05 * np.random.default_rng(1).standard_normal(3 * RATE)).astype(np.float32)
    output, answer = feed(live, server, page, noise, RATES[name])
    tail = output[output.size // 2 :]
    assert 20 * np.log10(np.sqrt(np.square(tail).mean()) / 0.05) < -12
    assert answer["log"] in ([], [["ready", None]]) and answer["suppressing"], "the first frame says the rate"
    assert len({part[1] for part in answer["parts"][2:]}) == 1
    assert abs(answer["fed"] - answer["given"]) < 0.05
    steps = np.diff([part[3] for part in answer["parts"]])
    assert np.abs(steps - 10_000).max() < 1_500, "microseconds"


def test_a_rate_that_stays(live: Tab, server: Server, page: str) -> None:
    """A device that has changed its rate for good gets a stream of its own rate; no noise passes in between."""
    noise = (0.05 * np.random.default_rng(1).standard_normal(4 * RATE)).astype(np.float32)
    pattern = [[480, 48_000, 1]] * 100 + [[160, 16_000, 1]] * 300
    output, answer = feed(live, server, page, noise[: 48_000 + 48_000], pattern)
    parts = answer["parts"]
    assert [parts[50][1], parts[-1][1]] == [48_000, 16_000]
    begins = np.cumsum([0, *(part[0] for part in parts)])
    levels = [np.sqrt(np.square(output[a:b]).mean()) for a, b in itertools.pairwise(begins[60:])]
    assert 20 * np.log10(np.mean(levels) / 0.05) < -10 and max(levels) < 0.05, "the unchanged noise is 0.05"
