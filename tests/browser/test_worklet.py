"""The npm package's AudioWorklet node in an OfflineAudioContext: the kernel's bytes, and the latency it reports."""

import hashlib
import math
from typing import Any

import numpy as np
import pytest

from browser.browsers import Tab
from browser.server import Server
from golden.outputs import HOP, Golden

QUANTUM = 128
REBLOCKING = HOP - math.gcd(HOP, QUANTUM)


def delayed_sha256(signal: Golden) -> str:
    """Hash of the native output as the worklet must give it: later by the re-blocking, equally long."""
    delayed = np.concatenate([np.zeros(REBLOCKING, np.float32), signal.cleaned[:-REBLOCKING]])
    return hashlib.sha256(delayed.tobytes()).hexdigest()


@pytest.mark.parametrize("engine", ["auto", "simd128"])
def test_worklet_gives_the_kernel_bytes(tab: Tab, server: Server, engine: str, golden, record_property) -> None:
    signals = [{"input": signal.input, "output": signal.output} for signal in golden]
    request = {"signals": signals, "delay": REBLOCKING, "options": {"engine": engine}}
    answer = tab.call(f"{server.origin}/pages/offline.js", "renderGolden", request)
    differing = {
        signal.name: (report["differing"], report["first"])
        for signal, report in zip(golden, answer["reports"], strict=True)
        if report["sha256"] != delayed_sha256(signal)
    }
    samples = sum(report["samples"] for report in answer["reports"])
    name = f"worklet bytes, {answer['engine']} in {tab.name}"
    record_property(name, f"{samples} samples, {len(differing)} signals differ")
    assert not differing, f"differing samples and the first of them: {differing}"
    assert answer["engine"] == ("relaxed" if engine == "auto" and tab.name != "webkit" else "simd128")


STREAMS = 9
"""Two fours whose network is computed together, and one that is left over."""


@pytest.mark.parametrize("schedule", ["immediate", "spread"])
def test_nodes_of_one_context(tab: Tab, server: Server, schedule: str, golden, record_property) -> None:
    """They share one memory. Where the network is spread only the latency is another; else they take turns, and a node
    gives what it would give alone, had it begun some quanta sooner."""
    speech = max(golden, key=lambda signal: signal.samples.size)
    length = speech.samples.size // STREAMS // QUANTUM * QUANTUM
    request = {"input": speech.input, "streams": STREAMS, "length": length, "alone": {"channels": 1}}
    request["options"] = {"channels": 1, "schedule": schedule}
    request["headStarts"] = [0] if schedule == "spread" else [turn * QUANTUM for turn in range(4)]
    answer = tab.call(f"{server.origin}/pages/offline.js", "renderTogether", request)
    record_property(f"{STREAMS} nodes, {schedule}, in {tab.name}: wasm memory in bytes", answer["memoryBytes"])
    assert answer["loudest"] > 0.01, "nothing was heard"
    wanted = [request["headStarts"][i % len(request["headStarts"])] for i in range(STREAMS)]
    assert answer["headStarts"].count(None) == 0 and sorted(answer["headStarts"]) == sorted(wanted)
    assert answer["latency"] == [1888 + (3 * QUANTUM if schedule == "spread" else 0), 1888]
    assert 1_000_000 < answer["memoryBytes"] < 2_100_000 + STREAMS * 96_000


LATENCIES = [
    *((position, 1888, {}) for position in (4800, 4800 + 1, 5000 + HOP - 1)),
    *((position, 1888 + 3 * QUANTUM, {"schedule": "spread"}) for position in (4800, 4800 + 1, 5000 + HOP - 1)),
    (4800 + 1, 1888 - HOP, {"lookAhead": 1}),
    (4800 + 1, 1888 - 2 * HOP, {"lookAhead": 0}),
]


@pytest.mark.parametrize(("position", "samples", "options"), LATENCIES)
def test_reported_latency_is_the_measured_one(
    tab: Tab, server: Server, position: int, samples: int, options: dict[str, Any], record_property
) -> None:
    request = {"position": position, "length": 24000, "options": {"attenuationLimitDb": 0, **options}}
    measured = tab.call(f"{server.origin}/pages/offline.js", "measureLatency", request)
    record_property(f"latency in {tab.name}, {options}, impulse at {position}", measured)
    assert measured["delay"] == measured["latency"] == samples
