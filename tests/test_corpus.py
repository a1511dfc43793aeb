"""`sordino corpus`: layouts are recognised, unfit files are named, speakers and sources stay in one split."""

import csv
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from golden.signals import recordings as golden_clips
from sordino.corpus.free import entries, fetch, read_list
from sordino.corpus.index import index
from sordino.corpus.inspect import Unfit, bandwidth_hz, inspect
from sordino.corpus.layouts import Entry, recognise
from sordino.corpus.splits import draw_splits
from sordino.train.corpus import KINDS, CorpusError, read_manifest
from train_support import voice

RATE = 48000


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def hiss(seconds: float, seed: int) -> np.ndarray:
    return 0.05 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))


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


def test_unknown_layouts_are_refused_with_advice(tmp_path: Path):
    with pytest.raises(CorpusError, match="no folder"):
        recognise(tmp_path / "none")
    touch(tmp_path, "takes/1.wav")
    with pytest.raises(CorpusError, match=r"cannot tell speech from noise here; known layouts: .*--speech FOLDER"):
        recognise(tmp_path)
    assert recognise(tmp_path, "speech")[1][0].speaker == "takes"
    with pytest.raises(CorpusError, match="holds no sound files"):
        recognise(touch(tmp_path / "empty", "readme.txt"), "noise")


def test_unfit_files_are_named_with_the_cause(tmp_path: Path):
    talk = voice(3, 1)
    (tmp_path / "zero.wav").touch()
    (tmp_path / "text.wav").write_text("no sound " * 100)
    clipped = np.clip(30 * talk, -1, 1)
    cases = {
        "zero.wav": ("speech", "empty: 0 bytes"),
        "text.wav": ("speech", "corrupt: "),
        write(tmp_path / "short.wav", talk[:960]).name: ("speech", "empty: 0.020 s"),
        write(tmp_path / "silent.wav", 0 * talk).name: ("noise", "silent"),
        write(tmp_path / "clipped.wav", clipped).name: ("speech", "clipped"),
        write(tmp_path / "hiss.wav", hiss(3, 1)).name: ("speech", "mislabelled[?] steady sound"),
        write(tmp_path / "hiss2.wav", hiss(3, 2)).name: ("rir", "mislabelled[?] its energy does not follow a peak"),
        "gone.wav": ("noise", "missing"),
    }
    for name, (kind, why) in cases.items():
        with pytest.raises(Unfit, match=why):
            inspect(tmp_path / name, kind)


def test_measurements(tmp_path: Path):
    facts = inspect(write(tmp_path / "voice.wav", voice(3, 1)[::3], 16000), "speech")
    assert facts.seconds == pytest.approx(3, abs=0.01) and facts.original_rate_hz == 16000
    narrow = np.fft.rfft(hiss(2, 0))
    narrow[16000:] = 0
    samples = (32767 * np.fft.irfft(narrow)).astype(np.int16)
    assert bandwidth_hz(samples) == pytest.approx(8000, abs=400)
    noisy = voice(4, 2) + 0.01 * hiss(4, 3).astype(np.float32)
    assert inspect(write(tmp_path / "noisy.wav", noisy), "speech").snr_db < facts.snr_db


def test_splits_keep_speakers_and_sources_together():
    talks = [Entry(Path(f"/s/{who}/{take}.wav"), "speech", f"speaker{who}") for who in range(20) for take in range(3)]
    rain = [Entry(Path(f"/n/rain_{i}.wav"), "noise") for i in range(4)]
    other = [Entry(Path(f"/n/{name}.wav"), "noise") for name in "abcdefghijklmnopqrst"]
    entries = talks + rain + other
    found = draw_splits(entries, [10.0] * len(entries), 0.1, 0.2, 1)
    assert found == draw_splits(entries, [10.0] * len(entries), 0.1, 0.2, 1)
    assert found != draw_splits(entries, [10.0] * len(entries), 0.1, 0.2, 2)
    by_speaker = {
        who: {s for e, s in zip(entries, found, strict=True) if e.speaker == f"speaker{who}"} for who in range(20)
    }
    assert all(len(splits) == 1 for splits in by_speaker.values())
    counts = [sum(splits == {name} for splits in by_speaker.values()) for name in ("train", "valid", "test")]
    assert counts == [14, 2, 4]
    assert len({split for entry, split in zip(entries, found, strict=True) if entry in rain}) == 1


def test_fixed_splits_are_kept_and_may_not_cross():
    fixed = [Entry(Path("a.wav"), "speech", "x", split="test"), Entry(Path("b.wav"), "speech", "x")]
    assert draw_splits(fixed, [1.0, 1.0], 0.1, 0.1, 1) == ["test", "test"]
    with pytest.raises(CorpusError, match="speaker x is in two splits, test and train"):
        draw_splits([*fixed, Entry(Path("c.wav"), "speech", "x", split="train")], [1.0] * 3, 0.1, 0.1, 1)
    with pytest.raises(CorpusError, match="leave nothing to train on"):
        draw_splits(fixed, [1.0, 1.0], 0.5, 0.5, 1)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    for who in range(4):
        write(tmp_path / "in" / "speech" / f"person{who}" / "1.wav", voice(2, who))
    write(tmp_path / "in" / "speech" / "person0" / "copy.wav", voice(2, 0))
    for i, name in enumerate(("fan", "street", "keys", "rain")):
        write(tmp_path / "in" / "noise" / f"{name}.wav", hiss(1, i))
    (tmp_path / "in" / "noise" / "broken.wav").write_text("?")
    return tmp_path / "in"


def test_index_writes_a_manifest_that_training_reads(recordings: Path, tmp_path: Path):
    out, counted = tmp_path / "out", []
    found = index([(recordings, "")], out, 0.25, 0.25, progress=lambda done, total: counted.append((done, total)))
    rows = read_manifest(out / "manifest.csv")
    assert len(rows) == 8 and counted[-1] == (10, 10)
    assert all((out / row["path"]).is_file() for row in rows)
    assert {row["split"] for row in rows if row["kind"] == "speech"} == {"train", "valid", "test"}
    assert sorted(found.speakers.values()) == [1, 1, 2]
    assert len(found.problems) == 2 and (out / "problems.txt").read_text().count("\n") == 2
    assert any("the same sound as" in line for line in found.problems)
    assert any("broken.wav: noise: corrupt" in line for line in found.problems)
    first = (out / "manifest.csv").read_bytes()
    measured = (out / "measured.jsonl").read_bytes()
    index([(recordings, "")], out, 0.25, 0.25)
    assert (out / "manifest.csv").read_bytes() == first, "the same folders and seed, the same manifest"
    assert (out / "measured.jsonl").read_bytes() == measured, "nothing is measured twice"
    again, entries = recognise(out)
    assert again == "manifest" and [entry.split for entry in entries] == [row["split"] for row in rows]


def test_index_without_noise_says_so(recordings: Path, tmp_path: Path):
    with pytest.raises(
        CorpusError, match="no usable noise in 5 files; training needs speech and noise; 1 files were left"
    ):
        index([(recordings / "speech", "")], tmp_path / "out")


def test_manifest_rows_are_plain_csv(recordings: Path, tmp_path: Path):
    index([(recordings / "speech", "speech"), (recordings / "noise", "noise")], tmp_path / "out", licence="CC0")
    with (tmp_path / "out" / "manifest.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["licence"] for row in rows} == {"CC0"}
    assert all(float(row["seconds"]) > 0 and int(row["eff_bw_hz"]) > 0 for row in rows)
    assert all((row["snr_est_db"] != "") == (row["kind"] == "speech") for row in rows)


def test_free_packages_are_unpacked_once_and_labelled(tmp_path: Path):
    listed = {package.name: package for package in read_list()}
    assert all(rule.kind in KINDS for package in listed.values() for rule in package.rules)
    inside = {
        "klettres-data": ["it/alpha/a.ogg", "it/readme.txt"],
        "hedgewars-data": [
            "Sounds/voices/Pirate/hello.ogg",
            "Sounds/denied.ogg",
            "Sounds/splash.ogg",
            "Music/city.ogg",
        ],
        "tuxpaint-stamps-default": ["animals/birds/owl_desc_el.ogg", "animals/birds/owl.ogg", "food/pie.ogg"],
    }
    commands, said = [], []

    def run(words: list[str], folder: Path) -> None:
        commands.append(words[:2])
        name = folder.name.removesuffix(".part")
        if name not in inside:
            raise CorpusError("no such package")
        if words[0] == "apt-get":
            (folder / "x.deb").touch()
        else:
            touch(folder / listed[name].folder, *inside[name])

    wanted = [listed[name] for name in (*inside, "minetest-data")]
    had = fetch(wanted, tmp_path, said.append, run)
    assert [package.name for package in had] == list(inside) and said[-1] == "minetest-data: left out: no such package"
    found = {entry.path.name: (entry.kind, entry.speaker, entry.category) for entry in entries(had, tmp_path)}
    assert found == {
        "a.ogg": ("speech", "klettres-data-it", "it"),
        "hello.ogg": ("speech", "hedgewars-data-Pirate", ""),
        "splash.ogg": ("noise", "", "effects"),
        "city.ogg": ("music", "", ""),
        "owl_desc_el.ogg": ("speech", "tuxpaint-stamps-default-el", "el"),
        "owl.ogg": ("noise", "", "animals"),
    }
    commands.clear()
    fetch(had, tmp_path, said.append, run)
    assert not commands
    with pytest.raises(CorpusError, match="none of the packages and repositories could be had"):
        fetch(wanted[-1:], tmp_path, said.append, run)


def test_repositories_give_only_the_files_wanted(tmp_path: Path):
    made = tmp_path / "made"
    names = ("1-100-A-0.wav", "1-100-B-0.wav", "2-7-A-12.wav", "2-8-A-20.wav", "notes.txt")
    touch(made, *(f"audio/{name}" for name in names))
    for name in names:
        (made / "audio" / name).write_text(name)
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "sounds"], ["config", "uploadpack.allowFilter", "1"]):
        subprocess.run([*git, *words], cwd=made, check=True)
    listed = next(package for package in read_list() if package.name == "esc-10")
    said: list[str] = []
    had = fetch([replace(listed, repository=made.as_uri())], tmp_path / "got", said.append)
    assert said == ["esc-10: 3 sound files"]
    found = entries(had, tmp_path / "got")
    assert [(e.path.name, e.category, e.origin) for e in found] == [
        ("1-100-A-0.wav", "animals", "1-100"),
        ("1-100-B-0.wav", "animals", "1-100"),
        ("2-7-A-12.wav", "fire", "2-7"),
    ]
    assert {e.licence for e in found} == {listed.licence}
    several = [replace(e, origin=f"{i}") for i in range(30) for e in found[:2]]
    drawn = draw_splits(several, [5.0] * len(several), 0.2, 0.2, 1)
    assert drawn[::2] == drawn[1::2] and set(drawn) == {"train", "valid", "test"}, "an origin is in one split"
    with pytest.raises(CorpusError, match="could be had"):
        fetch([replace(listed, repository=(tmp_path / "none").as_uri())], tmp_path / "other", said.append)


def test_the_command(recordings: Path, tmp_path: Path):
    command = [sys.executable, "-m", "sordino.cli", "corpus", str(tmp_path / "out")]
    done = subprocess.run([*command, str(recordings)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == str(tmp_path / "out" / "manifest.csv")
    assert "folders by kind: 5 speech, 5 noise" in done.stderr and "left out: " in done.stderr
    done = subprocess.run([*command, str(tmp_path / "none")], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr == f"sordino: no folder {tmp_path / 'none'}\n"
    done = subprocess.run([*command, "--strict", str(recordings)], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "2 files cannot be used" in done.stderr


def test_voices_among_the_noise_are_found(tmp_path: Path):
    talk = write(tmp_path / "talk.wav", next(iter(golden_clips().values())))
    fan = write(tmp_path / "fan.wav", hiss(3, 1))
    for path in (talk, fan):
        inspect(path, "noise")
    inspect(fan, "noise", check_voices=True)
    with pytest.raises(Unfit, match=r"mislabelled\? speech in \d+ % of it: no noise"):
        inspect(talk, "noise", check_voices=True)
