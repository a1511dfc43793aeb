"""The echo comparison: its scenes are what they are called, its scores say what happened, its report holds them."""

from pathlib import Path

import numpy as np
import pytest

from bench.test_quality_set import store
from sordino.chain.params import SAMPLE_RATE
from sordino.evaluation import echo, echo_systems
from sordino.evaluation.echo_set import CHANGE_S, KINDS, NEAR_FROM_S, SAMPLES, make_scene
from sordino.evaluation.measures import find_lag
from sordino.evaluation.testset import Material
from train_support import voice


@pytest.fixture(scope="module")
def material() -> Material:
    voices = store(*((f"voice{i}", f"speaker{i}", "xx", voice(9, i)) for i in range(4)))
    hiss = 0.05 * np.random.default_rng(0).standard_normal(SAMPLE_RATE)
    return Material(voices, store(("rain", "", "rain_water", hiss)), store(("tune", "", "", voice(8, 20))), store())


def test_the_same_seed_gives_the_same_scene(material: Material):
    one, same, other = make_scene(1, 1, material), make_scene(1, 1, material), make_scene(2, 1, material)
    assert np.array_equal(one.microphone, same.microphone) and not np.array_equal(one.microphone, other.microphone)


@pytest.mark.parametrize("index", range(len(KINDS)))
def test_a_scene_is_what_it_is_called(material: Material, index: int):
    scene = make_scene(1, index, material)
    assert all(len(x) == SAMPLES for x in (scene.far, scene.microphone, scene.near, scene.echo, scene.without))
    assert np.abs(scene.microphone).max() <= 0.901
    np.testing.assert_allclose(scene.microphone, scene.without + scene.echo, atol=1e-6)
    talks = scene.near[int(NEAR_FROM_S * SAMPLE_RATE) :].any()
    assert talks == (scene.kind in (*echo.BOTH, "near alone"))
    assert scene.far.any() == scene.echo.any() == (scene.kind != "near alone")
    if scene.kind in echo.BOTH:
        assert not scene.near[: int(NEAR_FROM_S * SAMPLE_RATE)].any()


def test_the_echo_comes_as_late_as_it_says(material: Material):
    scene = make_scene(1, 0, material)
    late = find_lag(scene.far, scene.echo, SAMPLE_RATE // 2)
    assert late / SAMPLE_RATE == pytest.approx(scene.delay_s, abs=0.003)


@pytest.mark.parametrize(("kind", "changes"), [("far alone", False), ("path change", True)])
def test_the_path_changes_where_it_is_said(material: Material, kind: str, changes: bool):
    scene = make_scene(1, KINDS.index(kind), material)
    at, longest, size = int(CHANGE_S * SAMPLE_RATE), SAMPLE_RATE, 1 << 20
    far, echo_before = (np.fft.rfft(x, size) for x in (scene.far[:at], scene.echo[:at]))
    path = np.fft.irfft(echo_before * far.conj() / (np.abs(far) ** 2 + 1e-4 * np.abs(far).max() ** 2), size)
    path[longest:] = 0
    expected = np.fft.irfft(np.fft.rfft(scene.far, size) * np.fft.rfft(path), size)[:SAMPLES]
    later = slice(at + longest, SAMPLES)
    left = ((scene.echo - expected)[later] ** 2).sum() / (scene.echo[later] ** 2).sum()
    assert (left > 0.3) == changes, f"{left:.2f} is not explained by the path that was there before"


def test_scores_say_what_happened(material: Material, monkeypatch: pytest.MonkeyPatch):
    for module in ("pesq", "pystoi"):
        pytest.importorskip(module, reason="scores need `pip install 'sordino[eval]'`")
    monkeypatch.setattr(echo, "aecmos", lambda scene, out: (3.0, 4.0))
    scene = make_scene(1, 1, material)
    leave, take = (
        echo_systems.EchoSystem(name, lambda f=f: f)
        for name, f in (
            ("microphone", lambda mic, far: mic),
            ("perfect", lambda mic, far: scene.without if far.any() else mic),
        )
    )
    left, taken = echo.score(scene, leave), echo.score(scene, take)
    assert max(left["curve_db"]) == 0.0 and np.mean(taken["curve_db"]) > 10
    assert taken["estoi_lost"] == pytest.approx(0, abs=1e-6) and left["estoi_lost"] > 0.02
    assert taken["si_sdr_db"] > left["si_sdr_db"]


def test_the_report_holds_every_group(tmp_path: Path):
    scores = {"echo_mos": 4.0, "damage_mos": 3.5, "settled_db": 30.0, "us_per_hop": 40.0, "curve_db": [0.0, 10.0]}
    results = [(i, kind, {"microphone": dict(scores), "sordino": dict(scores)}) for i, kind in enumerate(KINDS)]
    systems = echo.summarise(results)
    assert systems["sordino"]["both"]["damage_mos"]["clips"] == 4
    text = echo.markdown(systems, {"speexdsp": "no wheel"}, "8 scenes.")
    row = next(line for line in text.splitlines() if line.startswith("| **sordino**"))
    assert "4.00" in row and "30.0" in row and "- speexdsp: no wheel" in text
    from sordino.evaluation.plots import echo_over_time

    echo_over_time(results, 0.25, tmp_path / "echo.png")
    assert (tmp_path / "echo.png").stat().st_size > 10_000
