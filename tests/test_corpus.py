"""`sordino corpus`: folders become a manifest that training reads; speakers and sources stay in one split."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from corpus_support import hiss, write
from sordino.data.index import index
from sordino.data.layouts import Entry, recognise
from sordino.data.manifest import CorpusError, read_manifest
from sordino.data.splits import draw_splits
from train_support import voice


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


def test_the_command(recordings: Path, tmp_path: Path):
    command = [sys.executable, "-m", "sordino.cli", "corpus", str(tmp_path / "out")]
    done = subprocess.run([*command, str(recordings)], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == str(tmp_path / "out" / "manifest.csv")
    assert "folders by kind: 5 speech, 5 noise" in done.stderr and "left out: " in done.stderr
    done = subprocess.run([*command, str(tmp_path / "none")], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr == f"sordino: no folder {tmp_path / 'none'}\n"
    done = subprocess.run([*command, "--strict", str(recordings)], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "2 files cannot be used" in done.stderr


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
