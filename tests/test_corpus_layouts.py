"""Layouts: every public corpus is recognised by its folders, with its kinds, speakers and splits."""

from pathlib import Path

import numpy as np
import pytest

from corpus_support import RATE, hiss, touch, write
from sordino.data.index import index
from sordino.data.layouts import recognise
from sordino.data.manifest import CorpusError, read_manifest
from train_support import voice


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        (
            "VCTK",
            [
                "wav48_silence_trimmed/p225/p225_001_mic1.flac",
                "wav48_silence_trimmed/p225/p225_001_mic2.flac",
                "txt/x.txt",
            ],
            [("speech", "vctk-p225", "")],
        ),
        (
            "VoiceBank+DEMAND",
            [
                "clean_trainset_28spk_wav/p226_001.wav",
                "clean_testset_wav/p232_001.wav",
                "noisy_testset_wav/p232_001.wav",
            ],
            [("speech", "vctk-p232", "test"), ("speech", "vctk-p226", "")],
        ),
        (
            "LibriTTS or LibriSpeech",
            ["train-clean-100/103/1241/103_1241_000.wav", "dev-clean/84/121/84_121_000.wav"],
            [("speech", "libri-84", "valid"), ("speech", "libri-103", "train")],
        ),
        (
            "MUSAN",
            ["speech/librivox/speech-0001.wav", "noise/free-sound/noise-0001.wav", "music/jamendo/music-0001.wav"],
            [("speech", "musan-speech-0001", ""), ("noise", "", ""), ("music", "", "")],
        ),
        (
            "DNS-Challenge",
            [
                "datasets_fullband/clean_fullband/read_speech/book_1_chp_2_reader_06709_0.wav",
                "datasets_fullband/clean_fullband/vctk/p227_004_mic1.wav",
                "datasets_fullband/noise_fullband/fan.wav",
                "datasets_fullband/impulse_responses/SLR26/room.wav",
            ],
            [("speech", "dns-06709", ""), ("speech", "vctk-p227", ""), ("noise", "", ""), ("rir", "", "")],
        ),
        ("DEMAND", ["DKITCHEN/ch01.wav", "DKITCHEN/ch02.wav", "TBUS/ch01.wav"], [("noise", "", ""), ("noise", "", "")]),
        (
            "folders by kind",
            ["Speech/anna/1.wav", "Speech/bert.wav", "noises/fan/a.ogg", "rirs/hall.flac", "notes.txt"],
            [("speech", "anna", ""), ("speech", "bert", ""), ("noise", "", ""), ("rir", "", "")],
        ),
    ],
)
def test_layouts(tmp_path: Path, name: str, files: list[str], expected: list[tuple[str, str, str]]):
    found, entries = recognise(touch(tmp_path, *files))
    assert found == name
    assert [(entry.kind, entry.speaker, entry.split) for entry in entries] == expected


def test_unknown_layouts_are_refused_with_advice(tmp_path: Path):
    with pytest.raises(CorpusError, match="no folder"):
        recognise(tmp_path / "none")
    touch(tmp_path, "takes/1.wav")
    with pytest.raises(CorpusError, match=r"cannot tell speech from noise here; known layouts: .*--speech FOLDER"):
        recognise(tmp_path)
    assert recognise(tmp_path, "speech")[1][0].speaker == "takes"
    with pytest.raises(CorpusError, match="holds no sound files"):
        recognise(touch(tmp_path / "empty", "readme.txt"), "noise")


REAL = {
    "VCTK": [
        (f"wav48_silence_trimmed/p{who}/p{who}_00{take}_mic1.flac", 48000) for who in (225, 226) for take in (1, 2)
    ],
    "LibriTTS or LibriSpeech": [
        ("train-clean-100/103/1241/103_1241_0.wav", 24000),
        ("dev-clean/84/121/84_121_0.wav", 24000),
        ("test-clean/61/70968/61_70968_0.flac", 16000),
    ],
    "VoiceBank+DEMAND": [("clean_trainset_28spk_wav/p227_001.wav", 48000), ("clean_testset_wav/p232_001.wav", 48000)],
    "MUSAN": [("speech/librivox/speech-0001.wav", 16000), ("noise/free-sound/noise-0001.wav", 16000)]
    + [(f"music/jamendo/music-{i}.wav", 16000) for i in (1, 2)],
    "DNS-Challenge": [
        ("datasets_fullband/clean_fullband/vctk/p228_004_mic1.wav", 48000),
        ("datasets_fullband/noise_fullband/fan.wav", 48000),
        ("datasets_fullband/impulse_responses/SLR26/room.wav", 16000),
    ],
}


def test_public_corpora_together(tmp_path: Path):
    """All layouts in their own formats, as one corpus: every file measured, no speaker in two splits."""
    response = np.random.default_rng(0).standard_normal(4000) * np.exp(-np.arange(4000) / 500)
    seed = 0
    for layout, files in REAL.items():
        for name, rate in files:
            seed += 1
            sound = voice(2, seed) if rate == RATE else voice(2, seed)[:: RATE // rate]
            if "noise" in name or "music" in name:
                sound = hiss(2, seed) if "noise" in name else 0.1 * np.sin(np.arange(2 * rate) * 0.05 * seed)
            write(tmp_path / layout / name, response / 5 if "room" in name else sound, rate)
    write(tmp_path / "MUSAN" / "speech" / "librivox" / "speech-0002.wav", 0 * voice(2, 1), 16000)
    said: list[str] = []
    out = tmp_path / "out"
    index([(tmp_path / layout, "") for layout in REAL], out, 0.2, 0.2, say=said.append)
    assert [line.split(": ")[1] for line in said] == list(REAL)
    rows = read_manifest(out / "manifest.csv")
    assert len(rows) == sum(map(len, REAL.values()))
    assert "speech-0002.wav: speech: silent" in (out / "problems.txt").read_text()
    splits = {(row["speaker"], row["split"]) for row in rows if row["kind"] == "speech"}
    assert len(splits) == len({speaker for speaker, _ in splits}) == 9
    assert {row["split"] for row in rows if row["speaker"] in ("vctk-p232", "libri-61")} == {"test"}
    assert {row["orig_sr"] for row in rows} == {"48000", "24000", "16000"}
    assert all(int(row["eff_bw_hz"]) <= int(row["orig_sr"]) / 2 for row in rows)
    assert all(-60 < float(row["level_db"]) < 0 for row in rows)
