"""The report of the quality comparison from made-up scores; runs that go on where they stopped; unknown names."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sordino.evaluation import denoisers, quality, report, running, systems
from sordino.evaluation.testset import NOISE_KINDS, ORDER, Case
from sordino.params import SAMPLE_RATE

CASES = [
    Case(
        i,
        ORDER[i % 20],
        tuple(NOISE_KINDS)[i % 5],
        {"clean": math.inf, "music alone": -math.inf}.get(ORDER[i % 20], i % 25 - 5),
        -26.0,
        0.0,
        16000.0,
        (),
    )
    for i in range(40)
]


def made_up(pesq: float) -> dict[int, dict]:
    """Scores around a PESQ; the rest follows from it."""
    found = {}
    for case in CASES:
        value = pesq + 0.01 * (case.index % 7)
        found[case.index] = (
            {"music_change_db": -3.0}
            if case.part == "music alone"
            else {
                "pesq": value,
                "estoi": value / 5,
                "si_sdr_db": 4 * value,
                "ovrl": value + 0.5,
                "speech_kept_db": -1.0,
                "pause_reduction_db": 10 * (value - 1),
                "onsets_kept_db": [-1.0, -4.0],
            }
        )
    return found


@pytest.fixture
def found() -> dict:
    good, bad = made_up(2.5), {index: {**s, "speech_kept_db": -50.0} for index, s in made_up(1.5).items()}
    ours = systems.System("standard-int8", "Sordino standard", "standard:int8", frame=480, family="ours")
    results = [
        report.Result(systems.NOISY, made_up(1.0), 0),
        report.Result(systems.PEERS[1], bad, 960),
        report.Result(ours, good, 1440),
    ]
    facts = {"set": "seed1-x", "seed": 1, "seconds": 7.0, "parts": [case.part for case in CASES]}
    return report.collect(results, CASES, {"dtln": "no wheel for this Python"}, facts)


def test_the_dictionary_is_json(found: dict):
    again = json.loads(json.dumps(found, allow_nan=False))
    ours = again["systems"]["standard-int8"]
    assert ours["noisy"]["pesq"]["mean"] == pytest.approx(2.53, abs=0.01)
    assert ours["latency_ms"] == pytest.approx(30 + 448 / 48)
    gain = again["differences"]["standard-int8 - rnnoise-0.2"]["pesq"]
    assert gain["low"] == pytest.approx(1.0) and gain["high"] == pytest.approx(1.0)


def test_the_tables(found: dict):
    text = report.markdown(found)
    rows = [line for line in text.splitlines() if line.startswith("| **Sordino standard**")]
    assert "2.53 ±" in rows[0] and rows[0].endswith("| 39.3 |")
    assert "50 %" in rows[1]
    lines = text.splitlines()
    assert lines.index(rows[0]) < next(i for i, line in enumerate(lines) if line.startswith("| noisy"))
    assert "**+1.00 (+1.00..+1.00)**" in text
    assert "STOI |" in text and "ViSQOL" not in text, "a column without values is left out"
    assert "- dtln: no wheel" in text and "RNNoise 0.2: its output holds -50 dB of the speech: silence?" in text


def test_the_plots(found: dict, tmp_path: Path):
    pytest.importorskip("matplotlib", reason="plots need `pip install 'sordino[eval]'`")
    from sordino.evaluation import plots

    made = plots.draw(found, tmp_path)
    assert len(made) == 3 and all(path.read_bytes()[1:4] == b"PNG" for path in made)


def test_scores_survive_a_kill(tmp_path: Path):
    path = tmp_path / "scores.jsonl"
    entries = [("old", 0, {"pesq": 1.0}), ("new", 0, {"pesq": 2.0}), ("new", 0, {"visqol": 3.0})]
    lines = [json.dumps({"key": key, "index": index, "scores": scores}) for key, index, scores in entries]
    path.write_text("\n".join([*lines, '{"key": "new", "ind']))
    assert quality.read_scores(path, "new") == {0: {"pesq": 2.0, "visqol": 3.0}}
    assert quality.read_scores(tmp_path / "none", "new") == {}


def test_names_of_systems():
    known = [systems.NOISY, *systems.PEERS]
    assert [s.name for s in quality.choose("speex,rnnoise-0.1", known)] == ["noisy", "rnnoise-0.1", "speex"]
    assert quality.choose(None, known) == known
    with pytest.raises(ValueError, match="no system krisp; known: noisy, rnnoise"):
        quality.choose("krisp", known)
    with pytest.raises(ValueError, match="no system 'krisp'"):
        denoisers.make("krisp", Path())


def test_a_system_runs_in_its_own_process(tmp_path: Path):
    clips, case = tmp_path / "set", CASES[0]
    sound = (0.1 * np.random.default_rng(0).standard_normal(SAMPLE_RATE)).astype(np.float32)
    for name in ("noisy", "clean"):
        (clips / name).mkdir(parents=True)
        soundfile.write(clips / name / "0000.flac", sound, SAMPLE_RATE, subtype="PCM_16")
    done: list[None] = []
    lag = running.run(systems.NOISY, clips, [case], tmp_path / "out", tmp_path, 1, lambda: done.append(None))
    output = (tmp_path / "out" / "0000.flac").read_bytes()
    assert lag == 0 and len(done) == 1 and output == (clips / "noisy" / "0000.flac").read_bytes()
    running.run(systems.NOISY, clips, [case], tmp_path / "out", tmp_path, 1, lambda: done.append(None))
    assert len(done) == 1, "what is there is not made again"


def test_a_failing_system_gives_its_last_words(tmp_path: Path):
    (tmp_path / "set" / "noisy").mkdir(parents=True)
    soundfile.write(tmp_path / "set" / "noisy" / "0000.flac", np.zeros(4800), SAMPLE_RATE)
    broken = systems.System("krisp", "Krisp", "krisp")
    with pytest.raises(running.RunError, match=r"krisp ended with status 1: .*no system 'krisp'"):
        running.run(broken, tmp_path / "set", CASES[:1], tmp_path / "out", tmp_path, 1, lambda: None)
