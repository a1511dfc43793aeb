"""`sordino denoise`: engines agree, output aligned and as long, any rate, clear errors, nothing half-written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from golden.signals import recordings

SORDINO = Path(sys.executable).parent / "sordino"


def sordino(*arguments):
    return subprocess.run([SORDINO, *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture(scope="module")
def clip():
    return next(iter(recordings().values()))[: 3 * 48_000]


def write(path, samples, rate=48_000, **options):
    soundfile.write(path, samples, rate, **options)
    return path


def test_engines_write_identical_files(tmp_path, clip):
    source = write(tmp_path / "in.wav", clip)
    for engine in ("native", "wasm", "reference"):
        done = sordino("denoise", source, tmp_path / f"{engine}.wav", "--engine", engine)
        assert done.returncode == 0, done.stderr
    native = (tmp_path / "native.wav").read_bytes()
    assert native == (tmp_path / "wasm.wav").read_bytes()
    assert native == (tmp_path / "reference.wav").read_bytes()


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (16_000, 2), (44_100, 1), (48_000, 2), (96_000, 1)])
@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_rates_channels_and_formats_keep_length_and_alignment(tmp_path, clip, rate, channels, suffix):
    """With an attenuation limit of 0.01 dB the output is the input, so a shift by one sample would show."""
    import soxr

    x = np.stack([np.roll(soxr.resample(clip, 48_000, rate), 100 * c) for c in range(channels)], axis=1)
    source, target = write(tmp_path / "in.wav", x, rate), tmp_path / f"out.{suffix}"
    done = sordino("denoise", source, target, "--attenuation-limit-db", "0.01", "--no-post-filter")
    assert done.returncode == 0, done.stderr
    y, got_rate = soundfile.read(target, always_2d=True)
    assert (got_rate, y.shape) == (rate, x.shape)
    lags = range(-3, 4)
    for c in range(channels):
        match = [float(np.dot(np.roll(x[:, c], lag), y[:, c])) for lag in lags]
        assert lags[int(np.argmax(match))] == 0, f"channel {c}"


def test_it_cleans(tmp_path, clip):
    """Pauses get quieter, speech stays: the quietest tenth of frames falls by far more than the loudest."""
    rng = np.random.default_rng(0)
    noisy = clip + 0.01 * rng.standard_normal(clip.shape[0]).astype(np.float32)
    assert sordino("denoise", write(tmp_path / "in.wav", noisy), tmp_path / "out.wav").returncode == 0
    out, _ = soundfile.read(tmp_path / "out.wav")
    level = [10 * np.log10(np.mean(x.reshape(-1, 480) ** 2, axis=1) + 1e-12) for x in (noisy[:143_520], out[:143_520])]
    order = np.argsort(level[0])
    change = level[1] - level[0]
    assert np.median(change[order[:30]]) < np.median(change[order[-30:]]) - 3


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda p: None, "no such file"),
        (lambda p: p.write_bytes(b""), "empty file"),
        (lambda p: p.write_bytes(b"This is no sound." * 100), "no sound file"),
        (lambda p: soundfile.write(p, np.zeros(0), 48_000), "holds no samples"),
    ],
)
def test_bad_inputs_give_one_clear_line_and_no_output(tmp_path, prepare, message):
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    prepare(source)
    done = sordino("denoise", source, target)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir() if p != source] == []


@pytest.mark.parametrize(("suffix", "at_least"), [("wav", 1400), ("flac", 0)])
def test_what_is_left_of_a_truncated_file_is_cleaned_and_the_cut_is_named(tmp_path, clip, suffix, at_least):
    source, target = write(tmp_path / f"in.{suffix}", clip), tmp_path / "out.wav"
    source.write_bytes(source.read_bytes()[: 3000 if suffix == "wav" else 90_000])
    done = sordino("denoise", source, target)
    assert done.returncode == 3
    assert f"in.{suffix}" in done.stderr
    assert "truncated" in done.stderr or "damaged" in done.stderr
    assert at_least < soundfile.info(target).frames < clip.shape[0]


def test_nothing_is_overwritten_without_force(tmp_path, clip):
    source = write(tmp_path / "in.wav", clip[:48_000])
    target = tmp_path / "out.wav"
    target.write_text("precious")
    assert "exists" in sordino("denoise", source, target).stderr
    assert target.read_text() == "precious"
    assert sordino("denoise", source, target, "--force").returncode == 0


def test_unknown_model_format_and_folder(tmp_path, clip):
    source = write(tmp_path / "in.wav", clip[:48_000])
    assert "no model is called 'grand'" in sordino("denoise", source, tmp_path / "o.wav", "--model", "grand").stderr
    assert "wanted one of .wav, .flac, .ogg" in sordino("denoise", source, tmp_path / "o.mp3").stderr
    assert "no such folder" in sordino("denoise", source, tmp_path / "none" / "o.wav").stderr


def test_a_file_shorter_than_a_hop(tmp_path):
    source = write(tmp_path / "in.wav", np.float32([0.1, -0.1, 0.2]))
    assert sordino("denoise", source, tmp_path / "o.wav").returncode == 0
    assert soundfile.info(tmp_path / "o.wav").frames == 3
