"""`sordino denoise` on many files and on pipes, `sordino compare`: what is written, said, resumed and refused."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import sordino
from golden.signals import recordings
from sordino import cli
from sordino.files import command

SORDINO = Path(sys.executable).parent / "sordino"


@pytest.fixture(scope="module")
def clip():
    return next(iter(recordings().values()))[: 2 * 48_000]


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs the command in this process; gives (exit code, stdout, stderr)."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["sordino", *map(str, arguments)])
        monkeypatch.setattr(command.console, "_width", 200)
        try:
            cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def folder(tmp_path, clip):
    """Six recordings in a tree, one of them stereo, and a text."""
    top = tmp_path / "calls"
    (top / "may").mkdir(parents=True)
    for i in range(4):
        soundfile.write(top / f"{i}.wav", clip[: 24_000 + 480 * i], 48_000)
    soundfile.write(top / "may" / "5.flac", np.stack([clip[:8000], clip[8000:16_000]], axis=1), 16_000)
    soundfile.write(top / "may" / "6.aiff", clip[:8000], 16_000)
    (top / "notes.txt").write_text("no sound")
    return top


def names(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_folder(run, folder, tmp_path):
    code, out, err = run("denoise", folder, tmp_path / "clean", "--json")
    assert code == 0, err
    assert names(tmp_path / "clean") == ["0.wav", "1.wav", "2.wav", "3.wav", "may/5.flac", "may/6.wav"]
    told = json.loads(out)
    assert (told["done"], told["skipped"], told["failed"]) == (6, 0, 0)
    assert {f["status"] for f in told["files"]} == {"done"}
    for name, (rate, channels) in {"0.wav": (48_000, 1), "may/5.flac": (16_000, 2), "may/6.wav": (16_000, 1)}.items():
        info = soundfile.info(tmp_path / "clean" / name)
        assert (info.samplerate, info.channels) == (rate, channels)


def test_file_and_interface_give_the_same_samples(run, tmp_path, clip):
    soundfile.write(tmp_path / "a.wav", np.stack([clip, -clip]).T, 44_100, subtype="PCM_16")
    assert run("denoise", tmp_path / "a.wav", tmp_path / "b.wav", "--linked")[0] == 0
    x, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    y, _ = soundfile.read(tmp_path / "b.wav", dtype="float32")
    assert np.abs(y.T - sordino.denoise(np.ascontiguousarray(x.T), 44_100, linked=True)).max() <= 1 / 32_768


def test_less_look_ahead(run, tmp_path, clip):
    soundfile.write(tmp_path / "a.wav", clip, 48_000, subtype="PCM_16")
    assert run("denoise", tmp_path / "a.wav", tmp_path / "b.wav", "--look-ahead", "0")[0] == 0
    x, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    y, _ = soundfile.read(tmp_path / "b.wav", dtype="float32")
    assert np.abs(y - sordino.denoise(x, 48_000, look_ahead=0)).max() <= 1 / 32_768
    assert run("denoise", tmp_path / "a.wav", tmp_path / "c.wav", "--look-ahead", "3")[0] == 2


def test_patterns_and_several_files(run, folder, tmp_path):
    assert run("denoise", folder / "[01].wav", folder / "3.wav", tmp_path / "clean")[0] == 0
    assert names(tmp_path / "clean") == ["0.wav", "1.wav", "3.wav"]


def test_the_number_of_jobs_changes_nothing(run, folder, tmp_path):
    for jobs in (1, 3):
        assert run("denoise", folder, tmp_path / str(jobs), "--jobs", jobs)[0] == 0
    for name in names(tmp_path / "1"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes(), name


def test_one_bad_file_leaves_the_others_alone(run, folder, tmp_path):
    (folder / "2.wav").write_bytes(b"nonsense")
    code, out, err = run("denoise", folder, tmp_path / "clean", "--json")
    assert code == 3
    assert "2.wav is no sound file" in err
    assert "5 done, 1 failed" in err
    assert names(tmp_path / "clean") == ["0.wav", "1.wav", "3.wav", "may/5.flac", "may/6.wav"]
    assert [f["error"] is None for f in json.loads(out)["files"]] == [True, True, False, True, True, True]


def test_resume(run, folder, tmp_path):
    clean = tmp_path / "clean"
    assert run("denoise", folder, clean)[0] == 0
    before = {name: (clean / name).read_bytes() for name in names(clean)}
    (clean / "1.wav").unlink()
    (clean / ".2.wav.partial").write_text("left behind by a crash")
    kept = (clean / "0.wav").stat().st_mtime_ns
    code, out, _ = run("denoise", folder, clean, "--resume", "--json")
    assert code == 0
    assert (json.loads(out)["done"], json.loads(out)["skipped"]) == (1, 5)
    assert (clean / "0.wav").stat().st_mtime_ns == kept
    assert {name: (clean / name).read_bytes() for name in before} == before


def test_resume_does_not_trust_a_shorter_target(run, folder, tmp_path, clip):
    clean = tmp_path / "clean"
    clean.mkdir()
    soundfile.write(clean / "0.wav", clip[:100], 48_000)
    before = (clean / "0.wav").read_bytes()
    code, _, err = run("denoise", folder, clean, "--resume")
    assert code == 3
    assert "not as long as its source" in err
    assert (clean / "0.wav").read_bytes() == before


def test_nothing_begins_where_a_target_exists(run, folder, tmp_path):
    clean = tmp_path / "clean"
    clean.mkdir()
    (clean / "3.wav").write_text("precious")
    code, _, err = run("denoise", folder, clean)
    assert (code, names(clean)) == (1, ["3.wav"])
    assert "1 of 6 targets exist" in err
    assert (clean / "3.wav").read_text() == "precious"
    assert run("denoise", folder, clean, "--force")[0] == 0
    assert len(names(clean)) == 6


def test_results_inside_the_source_folder_are_no_sources(run, folder):
    for _ in range(2):
        assert run("denoise", folder, folder / "clean", "--resume")[0] == 0
    assert len(names(folder / "clean")) == 6


def test_what_cannot_be_told_apart_is_refused(run, folder, tmp_path, clip):
    soundfile.write(folder / "may" / "6.wav", clip, 48_000)
    code, _, err = run("denoise", folder, tmp_path / "clean")
    assert (code, (tmp_path / "clean").exists()) == (1, False)
    assert "would both become" in err
    assert "source itself" in run("denoise", folder / "0.wav", folder, "--force")[2]
    assert "source itself" in run("denoise", folder / "0.wav", folder / "0.wav", "--force")[2]
    assert "wanted a folder" in run("denoise", folder / "0.wav", folder / "1.wav", tmp_path / "x.wav")[2]
    assert "no file matches" in run("denoise", str(folder / "*.ogg"), tmp_path / "clean")[2]
    (tmp_path / "empty").mkdir()
    assert "no sound files" in run("denoise", tmp_path / "empty", tmp_path / "clean")[2]


def test_wrong_usage(run, tmp_path):
    assert run("denoise", "a.wav")[0] == 2
    assert run("denoise", "-", "x.wav")[0] == 2
    assert run("denoise", "a.wav", "b.wav", "--engine", "steam")[0] == 2
    assert run("denoise", "a.wav", "b.wav", "--attenuation-limit-db", "-3")[0] == 2


@pytest.mark.parametrize(("raw", "dtype"), [("s16", "<i2"), ("f32", "<f4")])
@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (16_000, 2)])
def test_a_pipe(clip, raw, dtype, rate, channels):
    scale = 32_768 if raw == "s16" else 1
    samples = (np.stack([np.roll(clip, 99 * c) for c in range(channels)]) * scale).astype(dtype)
    command = [SORDINO, "denoise", "-", "-", "--raw", raw, "--rate", str(rate), "--channels", str(channels)]
    done = subprocess.run(command, input=np.ascontiguousarray(samples.T).tobytes(), capture_output=True)
    assert done.returncode == 0, done.stderr
    got = np.frombuffer(done.stdout, dtype).reshape(-1, channels).T
    assert np.array_equal(got, sordino.denoise(samples, rate))


def test_a_pipe_answers_before_it_has_heard_all(clip):
    """Half a second in gives more than a fifth out while the input stays open."""
    with subprocess.Popen([SORDINO, "denoise", "-", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write((clip[:24_000] * 32_768).astype("<i2").tobytes())
        process.stdin.flush()
        assert len(process.stdout.read(20_000)) == 20_000
        process.stdin.close()
        process.stdout.read()


def test_a_pipe_that_ends_within_a_frame():
    done = subprocess.run([SORDINO, "denoise", "-", "-"], input=bytes(9601), capture_output=True)
    assert (done.returncode, len(done.stdout)) == (1, 9600)
    assert b"ends within a frame" in done.stderr


def test_a_closed_pipe_is_no_crash(clip):
    script = f"head -c 4000000 /dev/zero | {SORDINO} denoise - - | head -c 100 > /dev/null"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert "Traceback" not in done.stderr


def test_an_interruption_leaves_no_partial_file(tmp_path, clip):
    source = tmp_path / "in"
    source.mkdir()
    for i in range(2):
        soundfile.write(source / f"{i}.wav", np.tile(clip, 150), 48_000)
    process = subprocess.Popen(
        [SORDINO, "denoise", source, tmp_path / "out"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a suite in the background ignores it
    )
    while not (tmp_path / "out").is_dir() or not list((tmp_path / "out").iterdir()):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert "Traceback" not in process.communicate()[1]
    assert process.returncode == 130
    for left in (tmp_path / "out").iterdir():  # one that was finished before the signal came
        assert soundfile.info(left).frames == soundfile.info(source / left.name).frames


def test_compare_draws_a_picture(run, tmp_path, clip):
    from matplotlib.image import imread

    soundfile.write(tmp_path / "in.wav", clip, 44_100)
    picture = tmp_path / "out.png"
    code, _, err = run("compare", tmp_path / "in.wav", picture)
    assert code == 0, err
    pixels = imread(picture)[..., :3]
    assert pixels.shape[0] > 1000
    assert len(np.unique(np.round(pixels.reshape(-1, 3), 2), axis=0)) > 200
    assert "exists" in run("compare", tmp_path / "in.wav", picture)[2]
    assert "wanted .png" in run("compare", tmp_path / "in.wav", tmp_path / "out.txt")[2]
    assert "nothing from 9 s on" in run("compare", tmp_path / "in.wav", tmp_path / "o.png", "--start", 9)[2]


def test_the_picture_is_aligned(clip):
    from sordino.files.picture import follow

    story = follow(clip)
    assert story.after.tobytes() == sordino.denoise(clip, 48_000).tobytes()
    assert story.gains.shape == (200, 34)
    assert story.voice.shape == story.pitch_hz.shape == (200,)
