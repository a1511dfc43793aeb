"""Choosing blend and calibration: every combination is made, scored and ordered, and the command makes the best one."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

from train_support import require_torch, write_corpus

require_torch()
from sordino import cli  # noqa: E402
from sordino.data.cache import build_cache  # noqa: E402
from sordino.evaluation import calibration  # noqa: E402
from sordino.formats.onnx import read_onnx  # noqa: E402
from sordino.formats.shipped import MODELS  # noqa: E402
from sordino.train import checkpoint  # noqa: E402
from sordino.train.checkpoint import Calibration  # noqa: E402

TINY = MODELS / "tiny.onnx"


def run_command(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code


def test_every_combination_is_a_candidate() -> None:
    clips = (Path("out"), Path("cache"), "valid", 2, 1, 1)
    alone = ((0.5,), (0.7, 0.8), (0.0,), (1.0,))
    options = calibration.Options(*clips, Path("run.pt"), None, *alone)
    assert calibration.candidates(options) == [
        calibration.Candidate(0.0, Calibration(slope, 0.0, 1.0)) for slope in (0.7, 0.8)
    ]
    pairs = ((0.35, 0.5), (0.8, 0.9), (0.0, 0.15), (0.0, 1.0))
    options = calibration.Options(*clips, Path("run.pt"), Path("before.onnx"), *pairs)
    assert len({candidate.name() for candidate in calibration.candidates(options)}) == 16


def test_the_command_makes_the_candidate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = calibration.Candidate(0.5, Calibration(0.7, -0.1, 1.5))
    words = shlex.split(candidate.words(TINY, str(tmp_path / "made.onnx"), TINY))
    assert words[:3] == ["sordino", "develop", "finish"]
    run_command(monkeypatch, words)
    made, before = read_onnx(tmp_path / "made.onnx"), checkpoint.uncalibrated(read_onnx(TINY))
    wanted = candidate.calibration.matrix() @ before.weights["gain.weight"]
    np.testing.assert_allclose(made.weights["gain.weight"], wanted, atol=1e-5)
    assert made.record["blended_with"]["share"] == 0.5


def test_candidates_are_scored_and_ordered(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pesq", "pystoi", "speechmos"):
        pytest.importorskip(module, reason="scores need `pip install 'sordino[eval]'`")
    build_cache(write_corpus(tmp_path / "corpus"), tmp_path / "cache", report=lambda line: None)
    words = [
        "sordino",
        "develop",
        "calibration",
        str(TINY),
        "--slopes",
        "0.8",
        "--offsets=-6,0",
        "--smoothings",
        "0",
        "--count",
        "2",
        "--processes",
        "1",
    ]
    words += ["--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "out")]
    run_command(monkeypatch, words)
    found = json.loads((tmp_path / "out" / "calibration.json").read_text())
    sums = [
        sum(calibration.mean(found, name, "noisy", metric) for metric in ("pesq", "ovrl")) for name in found["order"]
    ]
    assert len(sums) == 2 and sums[0] >= sums[1]
    closed, opened = (next(name for name in found["order"] if f"offset{offset}-" in name) for offset in ("-6", "0"))
    pauses = [calibration.mean(found, name, "noisy", "pause_reduction_db") for name in (closed, opened)]
    assert pauses[0] > pauses[1] + 6, "lower gains, quieter pauses"
    assert "the first is made by" in capsys.readouterr().out
    assert (tmp_path / "out" / "calibration.md").read_text().count("slope0.8") == 2
