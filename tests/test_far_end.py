"""The far end in Python: Denoiser.process(block, far), denoise(far=...), --far-end; any rate, channels and block."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import sordino
from sordino.chain.params import SAMPLE_RATE
from sordino.run.engines import ENGINES
from stages.test_delay import played
from stages.test_echo import quieter_db, room, through
from train_support import voice

LIMIT = {"attenuation_limit_db": 0.0}
"""The network leaves everything, so that what is measured is the echo control."""


@pytest.fixture(scope="module")
def call() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Five seconds of far end, its echo and a near voice in the last two, (n,) each."""
    far = played(5, 1)
    near = voice(5, 2)
    near[: 3 * SAMPLE_RATE] = 0
    return far.ravel(), through(far, room(1)).ravel(), near


def at_rate(samples: np.ndarray, rate: int) -> np.ndarray:
    import soxr

    return np.asarray(soxr.resample(samples, SAMPLE_RATE, rate), np.float32)


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_the_echo_goes_at_any_rate(call, rate: int):
    far, echo, near = (at_rate(x, rate) for x in call)
    out = sordino.denoise(echo + near, rate, far=far, **LIMIT)
    assert out.shape == echo.shape
    assert quieter_db(echo[2 * rate : 3 * rate], out[2 * rate : 3 * rate]) > 15
    assert quieter_db(near[3 * rate :], (out - near)[3 * rate :]) > 6


def test_engines_give_the_same_bytes(call):
    far, echo, near = (x[:SAMPLE_RATE] for x in call)
    native, *others = (sordino.denoise(echo + near, SAMPLE_RATE, far=far, engine=engine) for engine in ENGINES)
    assert all(native.tobytes() == other.tobytes() for other in others)
    assert native.tobytes() != sordino.denoise(echo + near, SAMPLE_RATE).tobytes()


@pytest.mark.parametrize(("rate", "block"), [(48_000, 480), (48_000, 173), (44_100, 441), (16_000, 37)])
def test_blocks_give_what_the_whole_gives(call, rate: int, block: int):
    far, mic = (at_rate(x, rate)[: 2 * rate] for x in (call[0], call[1] + call[2]))
    stream = sordino.Denoiser(rate)
    parts = [stream.process(mic[i : i + block], far[i : i + block]) for i in range(0, len(mic), block)]
    late = np.concatenate([*parts, stream.flush()])[stream.latency :]
    assert late.tobytes() == sordino.denoise(mic, rate, far=far).tobytes()


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_far_end_may_begin_and_end_at_any_time(call, rate: int):
    far, mic = (at_rate(x, rate)[: 3 * rate] for x in (call[0], call[1]))
    first, last = 1000, rate * 2 + 77
    far[:first], far[last:] = 0, 0
    stream = sordino.Denoiser(rate)
    parts = [
        stream.process(mic[:first]),
        stream.process(mic[first:last], far[first:last]),
        stream.process(mic[last:]),
        stream.flush(),
    ]
    assert np.concatenate(parts)[stream.latency :].tobytes() == sordino.denoise(mic, rate, far=far).tobytes()


def test_a_silent_far_end_changes_nothing(call):
    mic = (call[1] + call[2])[: 2 * SAMPLE_RATE]
    silent = np.zeros_like(mic)
    assert sordino.denoise(mic, SAMPLE_RATE, far=silent).tobytes() == sordino.denoise(mic, SAMPLE_RATE).tobytes()


@pytest.mark.parametrize("linked", [False, True])
def test_every_channel_is_freed_of_it(call, linked: bool):
    far, echo, _ = call
    both = np.stack([echo, through(far.reshape(-1, 480), room(2)).ravel()])
    out = sordino.denoise(both, SAMPLE_RATE, far=np.stack([far, far]), linked=linked, **LIMIT)
    assert all(quieter_db(x[-SAMPLE_RATE:], y[-SAMPLE_RATE:]) > 15 for x, y in zip(both, out, strict=True))


def test_a_short_far_end_is_followed_by_silence_and_a_long_one_is_cut(call):
    far, mic = (x[:SAMPLE_RATE] for x in call[:2])
    half = far[: SAMPLE_RATE // 2]
    padded = np.concatenate([half, np.zeros_like(half)])
    assert (
        sordino.denoise(mic, SAMPLE_RATE, far=half).tobytes() == sordino.denoise(mic, SAMPLE_RATE, far=padded).tobytes()
    )
    assert (
        sordino.denoise(mic, SAMPLE_RATE, far=call[0]).tobytes() == sordino.denoise(mic, SAMPLE_RATE, far=far).tobytes()
    )


def test_types_of_both_may_differ(call):
    far, mic = (x[:SAMPLE_RATE] for x in call[:2])
    out = sordino.denoise(np.round(mic * 32767).astype(np.int16), SAMPLE_RATE, far=far.astype(np.float64))
    assert out.dtype == np.int16


def test_wrong_far_ends_are_refused_and_the_stream_goes_on(call):
    mic = call[1][:960]
    stream, other = sordino.Denoiser(), sordino.Denoiser()
    for far, error, text in (
        (mic[:10], ValueError, r"far of shape \(10,\), wanted \(960,\)"),
        (mic.tolist(), TypeError, "samples are list"),
        (mic.astype(np.int32), TypeError, "samples are int32"),
        (np.zeros((1, 1, 960), np.float32), ValueError, "far of shape"),
    ):
        with pytest.raises(error, match=text):
            stream.process(mic, far)
    assert stream.process(mic, mic).tobytes() == other.process(mic, mic).tobytes()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_a_broken_far_end_does_no_harm(call, value: float):
    far, mic = call[0][: 2 * SAMPLE_RATE].copy(), call[2][-2 * SAMPLE_RATE :]
    far[::3] = value
    out = sordino.denoise(mic, SAMPLE_RATE, far=far, **LIMIT)
    assert np.isfinite(out).all() and quieter_db(mic, out - mic) > 6


def command(*words: object) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "sordino"
    return subprocess.run([program, "denoise", *map(str, words)], capture_output=True, text=True)


@pytest.mark.parametrize(("rate", "far_rate"), [(48_000, 48_000), (16_000, 44_100)])
def test_the_command_takes_a_far_end(call, tmp_path: Path, rate: int, far_rate: int):
    far, echo, near = call
    soundfile.write(tmp_path / "mic.wav", at_rate(echo + near, rate), rate, subtype="FLOAT")
    played = at_rate(far, far_rate)
    soundfile.write(tmp_path / "far.flac", np.stack([played, played], 1), far_rate)
    limit = ("--attenuation-limit-db", 0)
    done = command(tmp_path / "mic.wav", tmp_path / "out.wav", "--far-end", tmp_path / "far.flac", *limit)
    assert done.returncode == 0, done.stderr
    out, found = soundfile.read(tmp_path / "out.wav", dtype="float32")
    before = at_rate(echo, rate)
    assert found == rate and out.shape == before.shape
    assert quieter_db(before[2 * rate : 3 * rate], out[2 * rate : 3 * rate]) > 15


def test_the_command_refuses_a_far_end_that_fits_nothing(call, tmp_path: Path):
    for name in ("a", "b"):
        soundfile.write(tmp_path / f"{name}.wav", call[0][:4800], SAMPLE_RATE)
    source, target = tmp_path / "a.wav", tmp_path / "out.wav"
    missing = command(source, target, "--far-end", tmp_path / "none.wav")
    assert missing.returncode == 1 and f"no far end at {tmp_path / 'none.wav'}" in missing.stderr
    several = command(source, tmp_path / "b.wav", tmp_path / "out", "--far-end", source)
    assert several.returncode == 2 and "goes with one source file" in several.stderr
    (tmp_path / "text.wav").write_text("no sound")
    broken = command(source, target, "--far-end", tmp_path / "text.wav")
    assert broken.returncode == 1 and "text.wav" in broken.stderr and not target.exists()
