"""How heavy the page is: what the first sound waits for, and whether drawing costs the audio anything."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from browser.demo import SCENES, play, screenshot, wait_for_frames, wait_for_state
from browser.server import Server
from support import BUILD

LINE_BITS_S = 10e6
ROUND_TRIP_MS = 40
FIRST_SOUND_S = 2
FRAMES_PER_S = 100
SPARE_S = 300
# Every file that has come so far, uncompressed as the test's server sends it: address -> bytes.
TRANSFERRED = """() => Object.fromEntries(
  performance.getEntriesByType("resource").map(({ name, encodedBodySize }) => [name, encodedBodySize]))"""
# What only files, or those who look at the chart, need.
LATER = ("file.worker.js", "histogram.js", "recorder.js")
# Press the first scene as soon as the page can hear it; note, in ms since the visit began, the press, the first sample
# that is not silent behind the switch, and the first frame that the engine has worked off.
VISITOR = """addEventListener("DOMContentLoaded", () => {
  const seen = (globalThis.reached = {});
  const note = (name) => (seen[name] ??= performance.now());
  const samples = new Float32Array(128);
  let ear;
  const look = () => {
    const { dataset } = document.body;
    if (dataset.painter && !seen.press) {
      note("press");
      document.querySelector("button[data-source]").click();
    }
    if (globalThis.player && !ear) {
      ear = new AnalyserNode(player.context, { fftSize: samples.length });
      player.graph.mix.connect(ear);
    }
    ear?.getFloatTimeDomainData(samples);
    if (samples.some((sample) => sample !== 0)) note("sound");
    if (Number(dataset.frames ?? 0) > 0) note("suppression");
    if (!(seen.sound && seen.suppression)) setTimeout(look);
  };
  look();
})"""
UNDERRUNS = "() => player.context.playbackStats.underrunEvents"
WATCH_FRAMES = """() => {
  const seen = (globalThis.pictures = { count: 0, worstMs: 0, firstMs: performance.now() });
  let lastMs = seen.firstMs;
  const next = () => {
    const nowMs = performance.now();
    seen.count += 1;
    seen.worstMs = Math.max(seen.worstMs, nowMs - lastMs);
    seen.fps = (1000 * seen.count) / (nowMs - seen.firstMs);
    lastMs = nowMs;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
}"""


def test_the_first_sound_does_not_wait_for_much(open_page: Any, record_property) -> None:
    """Nothing that a first click needs, the engine and its model included, takes a line of 10 Mbit/s two seconds."""
    page: Page = open_page("chromium")
    play(page, SCENES[0], "clip")
    sent = page.evaluate(TRANSFERRED)
    record_property("bytes before the first clean sound, uncompressed", sum(sent.values()))
    assert 100_000 < sum(sent.values()) < LINE_BITS_S / 8 * FIRST_SOUND_S
    assert not [name for name in sent if name.endswith(LATER)]


@pytest.fixture
def host() -> Iterator[Server]:
    """The page as a web host serves it: with a browser that keeps for an hour what it has got."""
    with Server({"demo": BUILD / "demo"}) as running:
        running.cache_control = "max-age=3600"
        yield running


def test_the_first_sound_over_a_slow_line(open_tab: Any, host: Server, pytestconfig: Any, record_property) -> None:
    """A first visit: from the address to the first sample that is heard, by the clock."""
    if not pytestconfig.getoption("--long"):
        pytest.skip("goes by the clock: --long, on a machine that does nothing else")
    page: Page = open_tab("chromium").page
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    speed = {"downloadThroughput": LINE_BITS_S / 8, "uploadThroughput": LINE_BITS_S / 8}
    devtools.send("Network.emulateNetworkConditions", {"offline": False, "latency": ROUND_TRIP_MS, **speed})
    page.add_init_script(VISITOR)
    page.goto(f"{host.origin}/demo/index.html")
    page.wait_for_function("() => reached.sound && reached.suppression")
    reached = {name: round(ms / 1000, 2) for name, ms in page.evaluate("reached").items()}
    record_property("first visit over 10 Mbit/s, seconds to", reached)
    assert reached["sound"] < FIRST_SOUND_S


@pytest.mark.parametrize(("slower", "seconds"), [(1, 60), (4, 300)])
@pytest.mark.timeout(600)
def test_drawing_costs_the_audio_nothing(
    open_page: Any, pytestconfig: pytest.Config, record_property, slower: int, seconds: int
) -> None:
    """Everything at once, also on a processor made four times slower: the loudspeaker never runs dry."""
    if not pytestconfig.getoption("--long"):
        pytest.skip("takes minutes, on a machine that does nothing else: --long")
    page: Page = open_page("chromium")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slower})
    play(page, SCENES[0], "clip")
    wait_for_state(page, "clip")
    page.locator("#histogram").scroll_into_view_if_needed()
    before = page.evaluate(UNDERRUNS)
    page.evaluate(WATCH_FRAMES)
    page.set_default_timeout(1000 * (seconds + SPARE_S))
    wait_for_frames(page, seconds * FRAMES_PER_S)
    underruns = page.evaluate(UNDERRUNS) - before
    pictures = page.evaluate("pictures")
    figures = {
        "underruns": underruns,
        "late frames of the engine": page.locator("#late").inner_text(),
        "pictures per second": round(pictures["fps"], 1),
        "longest wait for a picture, ms": round(pictures["worstMs"]),
    }
    record_property(f"{seconds} s, the processor's speed divided by {slower}", figures)
    screenshot(page, f"chromium-long-{slower}")
    assert underruns == 0
