"""Files of a corpus: what is measured of each, and which ones are unfit, with the cause."""

from pathlib import Path

import numpy as np
import pytest

from corpus_support import hiss, write
from golden.signals import recordings
from sordino.data.inspect import Unfit, bandwidth_hz, inspect
from train_support import voice


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


def test_voices_among_the_noise_are_found(tmp_path: Path):
    talk = write(tmp_path / "talk.wav", next(iter(recordings().values())))
    fan = write(tmp_path / "fan.wav", hiss(3, 1))
    for path in (talk, fan):
        inspect(path, "noise")
    inspect(fan, "noise", check_voices=True)
    with pytest.raises(Unfit, match=r"mislabelled\? speech in \d+ % of it: no noise"):
        inspect(talk, "noise", check_voices=True)
