"""`sordino score`: folders of recordings against clean ones, matched by name, aligned, with clear errors."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sordino.evaluation.folders import FolderError, by_name, score_folders
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
        score_folders(tmp_path / "clean", [tmp_path / "noisy"], True, lambda: None)
    write(tmp_path / "clean" / "a.flac", voice(1, 1))
    with pytest.raises(FolderError, match="have the same name"):
        by_name(tmp_path / "clean")


def test_a_late_copy_at_another_rate_scores_as_the_original(tmp_path: Path):
    for module in ("pesq", "pystoi", "speechmos"):
        pytest.importorskip(module, reason="scores need `pip install 'sordino[eval]'`")
    clean = np.pad(voice(3, 1), (0, 4800))
    late = np.concatenate([np.zeros(1440, np.float32), clean])[: len(clean)]
    hiss = 0.02 * np.random.default_rng(0).standard_normal(len(clean)).astype(np.float32)
    for name, samples in (("clean", clean), ("late", late), ("noisy", clean + hiss)):
        write(tmp_path / name / "a.wav", samples)
    done: list[None] = []
    folders = [tmp_path / "late", tmp_path / "noisy"]
    found = score_folders(tmp_path / "clean", folders, True, lambda: done.append(None))
    late_scores, noisy_scores = found.values()
    assert len(done) == 2
    assert late_scores["pesq"]["mean"] > 4.5 and late_scores["si_sdr_db"]["mean"] > 25
    assert noisy_scores["pesq"]["mean"] < 3 and noisy_scores["estoi"]["mean"] < late_scores["estoi"]["mean"]
