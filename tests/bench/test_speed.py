"""The speed benchmark: what does not denoise is refused, what fails or hangs costs itself only, the bars say so."""

import json
import os
import time

import numpy as np
import pytest

from bench.speed import bars, charts, hearing, phases, report, speed, workshop
from sordino.formats.generate import tiers

RATE = 48000


def bursts_in_noise():
    rng = np.random.default_rng(0)
    voice = rng.normal(0, 0.1, 4 * RATE) * (np.arange(4 * RATE) % RATE < RATE // 4)
    return voice.astype(np.float32), rng.normal(0, 0.01, 4 * RATE).astype(np.float32)


def test_a_denoiser_passes():
    voice, noise = bursts_in_noise()
    cleaned = np.roll(voice + 0.1 * noise, 480)
    found = hearing.denoising(voice + noise, cleaned)
    hearing.check_denoises("some", found)
    assert found["delay_samples"] == 480
    assert 15 < found["quiet_reduction_db"] < 25


@pytest.mark.parametrize("kind", ["silence", "nothing done", "noise", "all muffled"])
def test_what_does_not_denoise_is_refused(kind):
    voice, noise = bursts_in_noise()
    noisy = voice + noise
    outputs = {"silence": 0 * noisy, "nothing done": noisy, "noise": noise[::-1], "all muffled": 0.05 * noisy}
    with pytest.raises(SystemExit, match="does not denoise"):
        hearing.check_denoises(kind, hearing.denoising(noisy, outputs[kind]))


def test_pieces_are_spread_evenly_and_in_order():
    pieces = [3, 1, 1, 1, 2]
    assert [report.flattest(pieces, quanta) for quanta in (1, 2, 3, 5)] == [8, 4, 3, 3]


def test_scaled_networks_have_the_proportions_of_the_standard_one():
    standard, shapes = tiers()["standard"], [workshop.scaled_shape(channels) for channels in workshop.CHANNELS]
    assert standard in shapes
    assert [*shapes] == sorted(shapes, key=lambda shape: shape.weight_count())
    assert all(shape.over_time / shape.across == standard.over_time / standard.across for shape in shapes)


def test_a_phase_that_fails_costs_itself(monkeypatch):
    def failing(run):
        raise SystemExit("some peer does not denoise")

    kept = []
    monkeypatch.setattr(
        phases, "PHASES", {"first": lambda run: {"a": 1}, "second": failing, "third": lambda run: {"c": 3}}
    )
    phases.measure(phases.Run(None, [], [], True), lambda found: kept.append(json.loads(json.dumps(found))))
    assert kept[0] == {"a": 1}
    assert kept[-1] == {"a": 1, "c": 3, "failed": {"second": "SystemExit: some peer does not denoise"}}


def test_a_browser_that_hangs_is_ended(monkeypatch, tmp_path):
    def hanging(name):
        os.setsid()
        (tmp_path / f"{name}.json").write_text('{"best": "relaxed"}')
        time.sleep(600)

    monkeypatch.setattr(speed, "OUT", tmp_path)
    monkeypatch.setattr(speed, "LONGEST_S", {"some": 1})
    monkeypatch.setattr(speed, "measure_one", hanging)
    assert speed.watched("some") == {"best": "relaxed", "failed": {"run": "ended after 1 s"}}


def test_bars_without_figures_are_not_met(tmp_path):
    wire = {"code without weights": 30_000, "tiny, all in": 500_000}
    result = {"browsers": {"chromium": {"failed": {"run": "ended"}}}, "machine": {"vnni": ""}, "wire_bytes": wire}
    found = {row["bar"]: (row["got"], row["holds"]) for row in bars.bars(result)}
    assert found.pop("code without weights, kB brotli") == (30, True)
    assert found.pop("tiny, all in, kB brotli") == (500, False)
    assert set(found.values()) == {(None, False)}
    result |= {
        "bars": bars.bars(result),
        "tiers": {},
        "machine": {"cpu": "", "vnni": "", "cores": 2, "load": 0, "time": ""},
    }
    assert "FAILED, run: ended" in report.markdown(result)
    charts.draw(result, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").read_bytes()[1:4] == b"PNG"


def test_the_plot_shows_what_was_measured(tmp_path):
    def cost(us):
        return {"median": us}

    def size(thousands, variant="relaxed"):
        return {"name": "size", "variant": variant, "weights": thousands * 1e3, "warm": cost(30), "paced": cost(40)}

    together = {kind: {"together": cost(us)} for kind, us in (("warm", 60), ("paced", 70))}
    chromium = {
        "best": "relaxed",
        "warm": {"standard relaxed": cost(20), "rnnoise 0.2": cost(90)},
        "paced": {"standard relaxed": cost(25)},
        "sizes": [size(4), size(2), size(2, variant="simd128")],
        "streams": [{"streams": 4, **together}],
    }
    result = {"browsers": {"chromium": chromium, "firefox": {"warm": {"standard simd128": cost(50)}}}}
    assert charts.costs(result) == [
        ("chromium: standard relaxed", 20, 25),
        ("chromium: rnnoise 0.2", 90, None),
        ("firefox: standard simd128", 50, None),
    ]
    weights, streams = charts.growth(chromium).values()
    assert weights == {"warm": [(2, 30), (4, 30)], "paced": [(2, 40), (4, 40)]}
    assert streams == {"warm": [(4, 60)], "paced": [(4, 70)]}
    charts.draw(result, tmp_path / "all.png")
    charts.draw({"browsers": {"chromium": {"warm": chromium["warm"]}}}, tmp_path / "few.png")
    assert min((tmp_path / name).stat().st_size for name in ("all.png", "few.png")) > 5000


def test_ratios_are_those_of_neighbouring_rounds():
    """A machine that gets slower in the middle of a run does not change them."""
    browser = {"rounds": {"standard relaxed": [1, 2, 30, 40], "rnnoise 0.2": [10, 20, 300, 400]}}
    assert bars.ratio(browser, "standard relaxed", "rnnoise 0.2") == pytest.approx(0.1)
