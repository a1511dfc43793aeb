"""Folders of clean, noisy and enhanced recordings: matched by name, aligned, scored, with clear errors."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from sordino.cli import app
from sordino.evaluation.folders import FolderError, by_name, folder_set, lay_out
from sordino.evaluation.metrics import pesq_wb
from train_support import voice

RATE = 48000


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)


def test_folders_must_fit_together(tmp_path: Path):
    with pytest.raises(FolderError, match="no folder"):
        by_name(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError, match="holds no sound files"):
        by_name(tmp_path / "empty")
    write(tmp_path / "clean" / "a.wav", voice(1, 1))
    write(tmp_path / "clean" / "sub" / "b.wav", voice(1, 2))
    assert list(by_name(tmp_path / "clean")) == ["a", "sub/b"]
    write(tmp_path / "noisy" / "a.flac", voice(1, 1))
    with pytest.raises(FolderError, match="noisy lacks 1 of 2 recordings, for example sub/b"):
        folder_set(tmp_path / "work", tmp_path / "clean", tmp_path / "noisy")
    write(tmp_path / "clean" / "a.flac", voice(1, 1))
    with pytest.raises(FolderError, match="have the same name"):
        by_name(tmp_path / "clean")


def test_a_set_of_folders(tmp_path: Path):
    clean = voice(2, 1)
    hiss = 0.1 * np.random.default_rng(0).standard_normal(len(clean)).astype(np.float32)
    for folder, sounds in (("clean", (clean, clean)), ("noisy", (clean, clean + hiss)), ("late", (clean, clean))):
        for name, sound in zip("ab", sounds, strict=True):
            write(tmp_path / folder / f"{name}.wav", np.roll(sound, 700 if folder == "late" else 0))
    key, folder, cases = folder_set(tmp_path / "work", tmp_path / "clean", tmp_path / "noisy")
    assert [case.part for case in cases] == ["clean", "plain"] and cases[1].sources == ("b",)
    level_db = 10 * np.log10((hiss**2).mean())
    assert cases[1].snr_db == pytest.approx(cases[1].level_db - level_db, abs=0.1)
    again = folder_set(tmp_path / "work", tmp_path / "clean", tmp_path / "noisy")
    assert again == (key, folder, cases)
    write(tmp_path / "noisy" / "b.wav", clean)
    assert folder_set(tmp_path / "work", tmp_path / "clean", tmp_path / "noisy")[0] != key, "other files, another set"
    (tmp_path / "out").mkdir()
    assert lay_out(tmp_path / "late", folder, cases, tmp_path / "out").lag == 700
    found, _ = soundfile.read(tmp_path / "out" / "0001.flac", dtype="float32")
    assert np.abs(found - clean)[: -RATE // 10].max() < 1e-4


def test_options_of_mixtures_are_refused_for_folders(tmp_path: Path):
    pytest.importorskip("pesq", reason="scores need `pip install 'sordino[eval]'`")
    words = ["evaluate", "--clean", str(tmp_path), "--noisy", str(tmp_path)]
    words += ["--speed", "1.5", "--seed", "1", "--snr", "10"]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 2 and "--seed, --speed, --snr" in found.output and "not of folders" in found.output


def test_a_late_copy_at_another_rate_scores_as_the_original(tmp_path: Path):
    for module in ("pesq", "pystoi", "speechmos"):
        pytest.importorskip(module, reason="scores need `pip install 'sordino[eval]'`")
    clean = np.pad(voice(3, 1), (0, 4800))
    late = np.concatenate([np.zeros(1440, np.float32), clean])[: len(clean)]
    hiss = 0.02 * np.random.default_rng(0).standard_normal(len(clean)).astype(np.float32)
    for name, samples in (("clean", clean), ("late", late), ("noisy", clean + hiss)):
        write(tmp_path / name / "a.wav", samples)
    words = ["evaluate", str(tmp_path / "late"), "--clean", str(tmp_path / "clean"), "--noisy", str(tmp_path / "noisy")]
    done = CliRunner().invoke(app, [*words, "--work", str(tmp_path / "work"), "--processes", "1", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    noisy, copy = (system["noisy"] for system in found["systems"].values())
    assert copy["pesq"]["mean"] > 4.5 and copy["si_sdr_db"]["mean"] > 25
    assert noisy["pesq"]["mean"] < 3 and noisy["estoi"]["mean"] < copy["estoi"]["mean"]
    (difference,) = found["differences"].values()
    assert difference["pesq"]["mean"] == pytest.approx(copy["pesq"]["mean"] - noisy["pesq"]["mean"])


def test_silence_has_no_pesq() -> None:
    pytest.importorskip("pesq", reason="scores need `pip install 'sordino[eval]'`")
    noise = np.random.default_rng(1).normal(0, 0.1, 48_000).astype(np.float32)
    assert np.isnan(pesq_wb(noise, np.zeros_like(noise)))
