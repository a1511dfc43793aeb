"""Every kind of sound file is decoded to its end, as ffmpeg decodes it; what is cut is named and the rest is kept."""

import numpy as np
import pytest
import soundfile

from golden.signals import RATE
from sordino.chain.records import Settings
from sordino.files.audio import Treatment, TruncatedError, denoise_file
from sound_files import CUT, FOLLOWED, JOINED, NAMES, ffmpeg_decodes, make_all, need_programs

UNCHANGED = Treatment(model="tiny", settings=Settings(0, 1.0))
"""Attenuates by nothing: what comes out is what went in."""
LONGEST_FRAME = 2048
CLOSE = 3 / 32_768
WRONG_IN_FFMPEG = {
    **{"rifx.wav": "pcm16.wav", "streamed.w64": "pcm16.wav", "sound.voc": "narrow.wav", "free.mp3": "mono.wav"},
    "unpadded.wav": "mono.wav",
}
"""What ffmpeg of Debian 12 reads wrongly, or not at all, and what holds the same samples."""
OTHER_ROUNDING = {"ima.wav": 3e-3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    need_programs()
    made = tmp_path_factory.mktemp("files")
    make_all(made)
    return made


def best_match(sound, wanted, most_lag=0):
    """The correlation with what is wanted, which may begin so many samples late."""
    at = 0
    if most_lag:
        size = 2 ** int(np.ceil(np.log2(sound.size + wanted.size)))
        found = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(wanted, size)), size)
        at = int(np.argmax(found[: most_lag + 1]))
    part = sound[at : at + wanted.size]
    return float(np.corrcoef(part, wanted[: part.size])[0, 1])


def expected(folder, name, channels):
    """(frames, channels) as ffmpeg decodes the file."""
    return ffmpeg_decodes(folder / WRONG_IN_FFMPEG.get(name, name), channels)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_decoded_to_its_end(folder, tmp_path, name):
    cut, target = None, tmp_path / "out.wav"
    try:
        denoise_file(folder / name, target, UNCHANGED)
    except TruncatedError as error:
        cut = str(error)
    assert (cut is not None) == name.startswith("cut_"), cut
    if cut:
        assert name in cut and "truncated" in cut
    got, rate = soundfile.read(target, dtype="float32", always_2d=True)
    wanted = expected(folder, name, got.shape[1])
    assert rate > 0 and wanted.shape[0] > 0
    assert abs(got.shape[0] - wanted.shape[0]) <= LONGEST_FRAME, (got.shape, wanted.shape)
    if name not in JOINED:
        length = min(got.shape[0], wanted.shape[0])
        if rate == RATE and name != "free.mp3":
            assert np.abs(got[:length] - np.clip(wanted[:length], -1, 1)).max() <= OTHER_ROUNDING.get(name, CLOSE)
        else:  # the way to 48 kHz and back takes what is next to half the sample rate
            assert best_match(got[:length, 0], wanted[:length, 0]) > 0.99


@pytest.mark.parametrize("name", FOLLOWED)
def test_what_stands_behind_a_file_is_named(folder, tmp_path, name):
    with pytest.raises(TruncatedError, match="which is left out"):
        denoise_file(folder / name, tmp_path / "out.wav", UNCHANGED)
    wanted = expected(folder, FOLLOWED[name][0], 2 if name.endswith("aiff") else 1)
    assert soundfile.info(tmp_path / "out.wav").frames == wanted.shape[0]


@pytest.mark.parametrize("name", JOINED)
def test_joined_files_are_their_parts(folder, tmp_path, name):
    """Each part begins where the one before ends; an MP3 decoder that goes on may add a frame or two."""
    denoise_file(folder / name, tmp_path / "out.wav", UNCHANGED)
    got, rate = soundfile.read(tmp_path / "out.wav", dtype="float32", always_2d=True)
    at = 0
    for part in JOINED[name]:
        denoise_file(folder / part, tmp_path / "part.wav", UNCHANGED, overwrite=True)
        alone, its_rate = soundfile.read(tmp_path / "part.wav", dtype="float32", always_2d=True)
        length = alone.shape[0] * rate // its_rate
        if (its_rate, alone.shape[1]) == (rate, got.shape[1]):
            most_lag = 2 * LONGEST_FRAME if name.endswith((".mp3", ".aac")) else 0
            near = got[max(0, at - most_lag) :, 0][: RATE + 2 * most_lag]
            assert best_match(near, alone[:RATE, 0], 2 * most_lag) > 0.95, part
        at += length
    assert abs(at - got.shape[0]) <= LONGEST_FRAME * len(JOINED[name])


def test_there_are_enough_files():
    assert len(NAMES) >= 100 and set(CUT) < set(NAMES)
