"""The report of the quality comparison from made-up scores; runs that go on where they stopped; unknown names."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sordino import cli
from sordino.chain.model import BAND_FEATURES
from sordino.chain.params import SAMPLE_RATE
from sordino.evaluation import (
    command,
    comparison,
    denoisers,
    fingerprint,
    ours,
    quality,
    report,
    running,
    systems,
)
from sordino.evaluation.running import Manner
from sordino.evaluation.testset import NOISE_KINDS, ORDER, Case
from sordino.run.engines import NativeEngine
from support import unavailable

OURS = ("standard", "standard:sharp", "standard:float")
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
    named = [systems.System(name, f"Sordino {name}", name, frame=480, family="ours") for name in OURS]
    results = [
        report.Result(systems.NOISY, made_up(1.0), Manner(0, 0.0001)),
        report.Result(systems.PEERS[1], bad, Manner(960, 0.03)),
        *(report.Result(system, good, Manner(1440, 0.01)) for system in named),
    ]
    facts = {"set": "test-seed1-x", "seconds": 7.0, "parts": [case.part for case in CASES]}
    ratings = {case.index: 3.2 - case.index % 2 for case in CASES}
    return report.collect(results, CASES, {"dtln": "no wheel for this Python"}, facts, ratings=ratings)


def test_the_dictionary_is_json(found: dict):
    again = json.loads(json.dumps(found, allow_nan=False))
    ours = again["systems"]["standard"]
    assert ours["noisy"]["pesq"]["mean"] == pytest.approx(2.53, abs=0.01)
    assert ours["latency_ms"] == pytest.approx(30 + 448 / 48)
    gain = again["differences"]["standard - rnnoise-0.2"]["pesq"]
    assert gain["low"] == pytest.approx(1.0) and gain["high"] == pytest.approx(1.0)
    others = {"noisy", "rnnoise-0.2"}
    wanted = {f"{a} - {b}" for a in OURS[:2] for b in others} | {f"standard - {b}" for b in OURS[1:]}
    assert set(again["differences"]) == wanted


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


def test_good_recordings_are_summed_up_by_themselves(found: dict):
    plain = [case.index for case in CASES if case.part == "plain"]
    good = [index for index in plain if index % 2 == 0]
    groups = found["systems"]["standard"]["by_recording"]
    counts = {label: summary["pesq"]["clips"] for label, summary in groups.items()}
    assert counts == {"good recordings": len(good), "other recordings": len(plain) - len(good)}
    assert found["differences_good"]["standard - noisy"]["pesq"]["clips"] == len(good)
    text = report.markdown(found)
    assert "## OVRL of the plain part by recording" in text and "rates the clean one 3 or more" in text


def test_the_command_tells_good_recordings_where_they_are_known(found: dict, capsys: pytest.CaptureFixture[str]):
    command.show(found)
    text = capsys.readouterr().out
    assert text.index("differences on the same clips") < text.index("plain clips of good recordings")
    assert text.index("plain clips of good recordings") < text.index("differences on these")
    rated = report.Result(systems.find_system("oracle-clean"), made_up(3.0), Manner(0, 0.0001))
    spoken = {case.index for case in CASES if case.part != "music alone"}
    assert report.clean_ratings([rated]) == {index: made_up(3.0)[index]["ovrl"] for index in spoken}
    assert not report.clean_ratings([report.Result(systems.NOISY, made_up(1.0), Manner(0, 0.0001))])
    results = [report.Result(systems.NOISY, made_up(1.0), Manner(0, 0.0001))]
    facts = {"set": "x", "parts": [case.part for case in CASES]}
    command.show(report.collect(results, CASES, {}, facts))
    assert "good recordings" not in capsys.readouterr().out


def test_onsets_are_told_by_part(found: dict):
    parts = found["systems"]["standard"]["onsets_by_part"]
    assert set(parts) == {"plain", "reverberant", "babble", "music"}
    assert parts["plain"]["onsets_heard"]["mean"] == 0.5
    text = report.markdown(found)
    table = text[text.index("## Onsets kept within 2 dB (5..15 dB) by part") :]
    assert "| **Sordino standard** | 50 % | 50 % |" in table


def test_without_ratings_nothing_is_said_of_recordings():
    found = report.collect([report.Result(systems.NOISY, made_up(1.0), Manner(0, 0.0001))], CASES, {}, {})
    assert found["systems"]["noisy"]["by_recording"] == {} and found["differences_good"] == {}
    facts = {"set": "x", "seconds": 7.0, "parts": [case.part for case in CASES]}
    assert "recording" not in report.markdown({**found, **facts})


def test_the_plots(found: dict, tmp_path: Path):
    pytest.importorskip("matplotlib", reason="plots need `pip install 'sordino[eval]'`")
    from sordino.evaluation import plots

    made = plots.draw(found, tmp_path)
    assert len(made) == 4 and all(path.read_bytes()[1:4] == b"PNG" for path in made)


def test_scores_survive_a_kill(tmp_path: Path):
    path = tmp_path / "scores.jsonl"
    entries = [("old", 0, {"pesq": 1.0}), ("new", 0, {"pesq": 2.0}), ("new", 0, {"visqol": 3.0})]
    lines = [json.dumps({"key": key, "index": index, "scores": scores}) for key, index, scores in entries]
    path.write_text("\n".join([*lines, '{"key": "new", "ind']))
    assert comparison.read_scores(path, "new") == {0: {"pesq": 2.0, "visqol": 3.0}}
    assert comparison.read_scores(tmp_path / "none", "new") == {}


def test_names_of_systems(tmp_path: Path):
    assert [s.name for s in quality.choose("speex,rnnoise-0.1", 1)] == ["noisy", "speex", "rnnoise-0.1"]
    assert {s.name for s in quality.choose(None, 1)} >= {"noisy", "deepfilternet3", "standard", "standard:float:sharp"}
    assert systems.find_system(str(tmp_path)).family == "folder"
    assert systems.find_system("oracle-comb").family == systems.find_system("standard:ideal=low").family == "oracle"
    with pytest.raises(FileNotFoundError, match=r"'krisp'; known: .*or one of noisy, rnnoise"):
        systems.find_system("krisp")
    with pytest.raises(FileNotFoundError, match="'krisp'"):
        denoisers.make("krisp", Path())
    with pytest.raises(ValueError, match="unknown word 'loud'"):
        systems.find_system("standard:loud")


def test_choices_of_a_model():
    variant = ours.parse("standard:float:sharp:limit=12:no-comb:look-ahead=1")
    assert variant.arithmetic == "float" and variant.settings.post_filter == 1
    assert variant.settings.floor_gain == pytest.approx(10 ** (-12 / 20))
    model, given = variant.load(), ours.parse("standard").load()
    assert model.look_ahead == 1 and np.abs(model.weights["strength.weight"]).max() < 1e-4
    assert np.array_equal(model.weights["gain.weight"], given.weights["gain.weight"])
    deaf = ours.parse("standard:without=coherences").load().weights["patch.weight"] == 0
    assert (deaf.all(0) == (np.arange(deaf.shape[1]) % BAND_FEATURES == 1)).all()


def test_changed_models_run_through_the_kernels():
    sound = (0.1 * np.random.default_rng(0).standard_normal(SAMPLE_RATE)).astype(np.float32)
    plain, deaf, again = (ours.open_variant(ours.parse(f"standard:sharp{w}"))(sound) for w in ("", ":no-comb", ":int8"))
    assert np.array_equal(plain, again) and plain.shape == sound.shape
    assert np.abs(plain - deaf).max() > 0


@pytest.mark.parametrize(("word", "silenced"), [("no-lift", "voice"), ("no-comb", "strengths")])
def test_a_head_that_is_taken_away_is_silent_in_the_kernels(word: str, silenced: str):
    sound = (0.1 * np.random.default_rng(0).standard_normal(SAMPLE_RATE)).astype(np.float32)
    found = {}
    for name in ("standard", f"standard:{word}"):
        variant = ours.parse(name)
        engine = NativeEngine(ours.weights(variant), variant.settings)
        engine.process(sound)
        found[name] = engine.decision()
    given, taken = found.values()
    assert np.max(getattr(given, silenced)) > 1e-6 > np.max(getattr(taken, silenced))
    assert np.array_equal(given.gains, taken.gains)


def test_the_module_in_node_gives_the_kernels_samples(tmp_path: Path):
    if not shutil.which("node"):
        unavailable("no node")
    clips = tmp_path / "set"
    sound = (0.1 * np.random.default_rng(0).standard_normal(SAMPLE_RATE)).astype(np.float32)
    for name in ("noisy", "clean"):
        (clips / name).mkdir(parents=True)
        soundfile.write(clips / name / "0000.flac", sound, SAMPLE_RATE, subtype="PCM_16")
    for name in ("standard:conservative:wasm", "standard:conservative"):
        system, out = systems.our_system(name), tmp_path / name.replace(":", "-")
        running.run(system, clips, CASES[:1], out, tmp_path, 1, lambda: None)
    outputs = [path.read_bytes() for path in sorted(tmp_path.glob("standard*/0000.flac"))]
    assert len(outputs) == 2 and outputs[0] == outputs[1]


def test_commands_say_in_a_line_what_is_wrong(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    def fail(error: BaseException) -> None:
        raise error

    for error, status, words, last in (
        (ValueError("no such word"), 1, [], "sordino: no such word"),
        (KeyboardInterrupt(), 130, [], "quality: stopped; the same command goes on from here"),
        (None, 2, ["--count", "0"], "Invalid value for '--count'"),
    ):
        monkeypatch.setattr(quality, "compare", lambda options, error=error: fail(error))
        monkeypatch.setattr("sys.argv", ["sordino", "develop", "quality", *words])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert end.value.code == status
        assert last in capsys.readouterr().err


def test_a_fingerprint_is_that_of_the_code(tmp_path: Path):
    (tmp_path / "a.py").write_text("x = 1\n")
    first = fingerprint.content([tmp_path / "a.py"])
    (tmp_path / "a.py").write_text("# a comment\nx  =  1\n")
    assert fingerprint.content([tmp_path / "a.py"]) == first
    (tmp_path / "a.py").write_text("x = 2\n")
    assert fingerprint.content([tmp_path / "a.py"]) != first


def test_a_system_runs_in_its_own_process(tmp_path: Path):
    clips, case = tmp_path / "set", CASES[0]
    sound = (0.1 * np.random.default_rng(0).standard_normal(SAMPLE_RATE)).astype(np.float32)
    for name in ("noisy", "clean"):
        (clips / name).mkdir(parents=True)
        soundfile.write(clips / name / "0000.flac", sound, SAMPLE_RATE, subtype="PCM_16")
    done: list[None] = []
    manner = running.run(systems.NOISY, clips, [case], tmp_path / "out", tmp_path, 1, lambda: done.append(None))
    output = (tmp_path / "out" / "0000.flac").read_bytes()
    assert (
        manner.lag == 0
        and manner.cost >= 0
        and len(done) == 1
        and output == (clips / "noisy" / "0000.flac").read_bytes()
    )
    running.run(systems.NOISY, clips, [case], tmp_path / "out", tmp_path, 1, lambda: done.append(None))
    assert len(done) == 1, "what is there is not made again"


def test_a_failing_system_gives_its_last_words(tmp_path: Path):
    for name in ("noisy", "clean"):
        (tmp_path / "set" / name).mkdir(parents=True)
        soundfile.write(tmp_path / "set" / name / "0000.flac", np.zeros(4800), SAMPLE_RATE)
    broken = systems.System("krisp", "Krisp", "krisp")
    with pytest.raises(running.RunError, match=r"krisp ended with status 1: .*no model is called 'krisp'"):
        running.run(broken, tmp_path / "set", CASES[:1], tmp_path / "out", tmp_path, 1, lambda: None)
