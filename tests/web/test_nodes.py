"""SordinoNode in browsers: events of failures and of their end, read-outs, rates, and memory over many lives."""

from pathlib import Path
from typing import Any

import pytest

from browser.browsers import Tab
from browser.server import Server

HALF = 0.5 * 0.5 / 2**0.5
"""RMS of a tone of amplitude 0.5 after the faulty kernel, which halves."""
CYCLES, LONG_CYCLES = 120, 500


def private_mb(process: int) -> float:
    """Memory that a process shares with no other, in MB."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1000


@pytest.fixture
def nodes(server: Server) -> str:
    return f"{server.origin}/pages/nodes.js"


@pytest.mark.parametrize(("how", "code"), [("trap", "runtime"), ("not finite", "runtime"), ("slow", "overrun")])
def test_a_broken_kernel_is_told_and_comes_back(live: Tab, nodes: str, how: str, code: str, record_property) -> None:
    answer = live.call(nodes, "breakKernel", how)
    told = [(event["type"], event.get("code")) for event in answer["events"]]
    assert ("error", code) in told and ("fallback", code) in told and told[-1][0] == "ready", told
    if how == "slow":
        assert "bypass" in [event.get("action") for event in answer["events"] if event["type"] == "overrun"]
    assert answer["during"] == {"suppressing": False, "latency": 1888}
    assert answer["after"] == {"suppressing": True, "latency": 1888}
    assert answer["last"] == pytest.approx(HALF, rel=0.01)
    record_property(f"{how}: faintest 10 ms, and the halved voice", (round(answer["faintest"], 3), round(HALF, 3)))
    assert answer["faintest"] > 0.98 * HALF


def test_step_down(live: Tab, nodes: str, record_property) -> None:
    """Tier by tier below the one that was too slow, without the page naming any; then the unchanged voice."""
    answer = live.call(nodes, "stepDown")
    lighter = answer["models"][: answer["models"].index("standard")][::-1]
    steps = [(event["action"], event["model"]) for event in answer["events"] if event["action"] not in (None, "none")]
    record_property("steps down", steps)
    assert steps == [*(("step-down", name) for name in lighter), ("bypass", ["standard", *lighter][-1])]
    assert answer["stopped"] == {"model": steps[-1][1], "suppressing": False} and answer["model"] == steps[-1][1]
    causes = [event["code"] for event in answer["events"] if event["type"] == "fallback"]
    assert causes == ["overrun"] * len(steps)
    assert answer["faintest"] > 0.98 * HALF


def test_step_down_as_the_page_wants(live: Tab, nodes: str) -> None:
    """To its own lighter model, and back after a while; where that does not arrive the old one goes on."""
    for url, model in (("/models/standard.sordino", "light"), ("/nowhere.sordino", "standard")):
        answer = live.call(nodes, "stepDownTo", url)
        assert "step-down" in [event.get("action") for event in answer["events"]] and answer["model"] == model


def test_bad_models_change_nothing(live: Tab, nodes: str) -> None:
    answer = live.call(nodes, "switchModels")
    assert answer["codes"] == ["weights", "weights", "fetch"]
    assert (answer["suppressing"], answer["model"], answer["after"]) == (True, "standard", "copy")
    assert [event["type"] for event in answer["events"]] == ["ready", "ready"]


def test_a_context_stands_still(live: Tab, nodes: str) -> None:
    answer = live.call(nodes, "suspend")
    assert (answer["during"], answer["after"]) == (False, True)
    assert [event.get("code") for event in answer["events"] if event["type"] == "fallback"] == ["suspended"]
    assert answer["events"][-1]["type"] == "ready"


def test_read_outs(live: Tab, nodes: str, record_property) -> None:
    answer = live.call(nodes, "readOuts")
    assert 0 <= answer["stats"]["frames"] - len(answer["probabilities"]) < 15 and len(answer["probabilities"]) > 50
    assert all(0 <= p <= 1 for p in answer["probabilities"]) and answer["bands"] == 34
    record_property("stats in chromium", answer["stats"])
    assert answer["stats"]["engine"] == "relaxed" and answer["stats"]["model"] == "standard"
    wanted = [["conservative", False, False], ["balanced", False, True], ["strong", "double", True]]
    assert answer["presets"] == wanted


WRONG = [
    ("weights", {"model": {"name": "x", "url": "/corrupt.sordino"}}),
    ("fetch", {"model": {"name": "x", "url": "/nowhere.sordino"}}),
    ("wasm", {"assets": {"simd128": "/corrupt.sordino"}, "engine": "simd128"}),
    ("worklet", {"assets": {"worklet": "/nowhere.js"}}),
    ("option", {"preset": "wild"}),
    ("option", {"engine": "fast"}),
    ("option", {"schedule": "later"}),
    ("option", {"overrunPolicy": "never"}),
    ("option", {"retryMs": 0}),
    ("option", {"lookAhead": 3}),
]


@pytest.mark.parametrize(("code", "options"), WRONG)
def test_create_says_what_is_wrong(tab: Tab, nodes: str, code: str, options: dict[str, Any]) -> None:
    assert tab.call(nodes, "createCode", options) == f"SordinoError {code}"


def test_integrity(tab: Tab, nodes: str) -> None:
    options = {"assets": {"integrity": {"weights": "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}}}
    assert tab.call(nodes, "createCode", options) == "SordinoError fetch"


@pytest.mark.parametrize("schedule", ["immediate", "spread"])
def test_other_rates_in_every_browser(tab: Tab, nodes: str, schedule: str, record_property) -> None:
    found = {rate: tab.call(nodes, "otherRate", rate, schedule) for rate in (8_000, 16_000, 44_100, 96_000)}
    record_property(f"latency at other rates, {schedule}, in {tab.name}", found)
    for answer in found.values():
        assert abs(answer["measured"] - answer["reported"]) <= 1
        assert answer["image"] == pytest.approx(-0.5, abs=1e-4)


@pytest.mark.parametrize("schedule", ["immediate", "spread"])
@pytest.mark.parametrize("quantum", [256, 480])
def test_render_size_hint(live: Tab, nodes: str, quantum: int, schedule: str, record_property) -> None:
    answer = live.call(nodes, "renderSize", quantum, schedule)
    record_property(f"renderSizeHint {quantum}, {schedule}", answer or "this browser has none")
    assert answer is None or answer["measured"] == answer["reported"]


def test_six_channels(live: Tab, nodes: str) -> None:
    """The browser hands all six to the node and plays all six: each as it would be played alone."""
    found = live.call(nodes, "channelsAlone", "/clip.f32", 6)
    assert len({channel["peak"] for channel in found} - {0}) == 6, found
    assert all(channel["same"] for channel in found), found


@pytest.mark.parametrize("beside", [False, True])
def test_many_lives(live: Tab, nodes: str, beside: bool, request: pytest.FixtureRequest, record_property) -> None:
    """In a context that lives on, rounds of create and destroy leave heap, wasm memory and process as they were.

    beside: another node stays, whose memory they share; else each finds the memory that the last one left
    """
    rounds, settled, lives = 4, 2, (LONG_CYCLES if request.config.getoption("long", False) else CYCLES) // 4
    session = live.page.context.new_cdp_session(live.page)
    processes = live.page.context.browser.new_browser_cdp_session()
    heaps, resident, wasm = [], [], []
    live.call(nodes, "openHome", beside)
    for _ in range(rounds + 1):
        wasm.append(live.call(nodes, "cycles", lives))
        for _ in range(3):
            session.send("HeapProfiler.collectGarbage")
        usage = session.send("Runtime.getHeapUsage")
        heaps.append((usage["usedSize"] + usage.get("backingStorageSize", 0)) / 1e6)
        running = processes.send("SystemInfo.getProcessInfo")["processInfo"]
        resident.append(sum(private_mb(process["id"]) for process in running if process["type"] == "renderer"))
    live.call(nodes, "closeHome")
    assert len(set(wasm)) == 1, wasm
    measured = (rounds - settled) * lives
    record_property(f"{rounds * lives} lives, private memory of the renderer in MB", [round(r) for r in resident])
    assert (resident[-1] - resident[settled]) / measured < 0.3, "MB per life; one node has 2 MB of wasm memory"
    growth = (heaps[-1] - heaps[settled]) / measured
    record_property(f"{rounds * lives} lives, heap and buffers in MB after each round", [round(h, 2) for h in heaps])
    assert growth < 0.02, "MB per life; one node's weights alone are more than 1 MB"
