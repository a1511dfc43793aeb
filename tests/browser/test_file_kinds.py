"""The page and the command line accept the same files: same bytes for lossless ones, same sound for coded ones."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from browser.server import Server
from browser.test_file import call, offer, open_demo
from golden.signals import RATE
from sordino.files.audio import TruncatedError, denoise_file
from sound_files import JOINED, make_all, need_programs

__all__ = ["open_demo"]

SAME_BYTES = """
pcm16.wav pcm24.wav pcm32.wav float.wav double.wav byte.wav alaw.wav ulaw.wav rf64.wav extensible.wav rifx.wav
tagged.wav bext.wav wave.w64 float.w64 sound.aiff sox.aiff float.aifc little.aiff sound.au float.au ulaw.au sound.caf
float.caf
sound.flac deep.flac sox.flac cover.flac streamed.wav sox_streamed.wav float_streamed.wav streamed.w64 streamed.aiff
streamed.au streamed.caf streamed.flac cut_pcm16.wav cut_float.wav cut_wave.w64 cut_sound.aiff cut_sound.au
cut_sound.caf unpadded.wav align0.wav short.au followed.wav second_data.wav followed.aiff
"""
SAME_SOUND = """
cbr.mp3 vbr.mp3 vbr_streamed.mp3 lame_streamed.mp3 cbr_title.mp3 cbr_cover.mp3 vbr_cover.mp3 old_tag.mp3 twice.mp3
plain.mp3 vorbis.ogg vorbis_streamed.ogg title.ogg twice.ogg opusenc.opus streamed.opus twice.opus same.opus opus.webm
streamed.webm live.webm fragments.mp4 video.mkv sound.mov flac.mka cut_cbr.mp3 cut_vorbis.ogg
cut_opusenc.opus cut_live.webm cut_opus.webm cut_sound.flac other.ogg zeros.mp3 tag_between.mp3
"""
"""Those with AAC only where the browser decodes it."""
LEAST_MATCH = 0.98
LONGEST_FRAME = 2048


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_programs()
    made = tmp_path_factory.mktemp("files")
    make_all(made)
    return made


def command_line(path: Path) -> tuple[bytes, bool]:
    """The bytes that `sordino denoise` writes, and whether it says that something is missing."""
    target, cut = path.with_name(f"clean_{path.name}.wav"), False
    try:
        denoise_file(path, target, overwrite=True)
    except TruncatedError:
        cut = True
    return target.read_bytes(), cut


def test_the_bytes_of_the_command_line(open_demo: Any, server: Server, folder: Path) -> None:
    tab, wrong = open_demo("chromium"), {}
    for name in SAME_BYTES.split():
        wanted, cut = command_line(folder / name)
        answer = call(tab, server, "cleanFile", offer(server, folder / name))
        if "error" in answer:
            wrong[name] = answer
        elif base64.b64decode(answer["bytes"]) != wanted or bool(answer.get("fault")) != cut:
            got = base64.b64decode(answer["bytes"])
            wrong[name] = (len(got), len(wanted), got[:120], wanted[:120], answer.get("fault"))
    assert not wrong


def match(got: np.ndarray, wanted: np.ndarray) -> float:
    """Correlation of two recordings that begin together."""
    length = min(got.size, wanted.size)
    return float(np.corrcoef(got[:length], wanted[:length])[0, 1])


def test_the_sound_of_the_command_line(open_demo: Any, server: Server, folder: Path, record_property: Any) -> None:
    tab, wrong, lengths_of = open_demo("chromium"), {}, {}
    has_aac = tab.page.evaluate(
        "AudioDecoder.isConfigSupported({codec: 'mp4a.40.2', sampleRate: 48000, numberOfChannels: 1})"
        ".then(({supported}) => supported)"
    )
    for name in SAME_SOUND.split():
        if name == "fragments.mp4" and not has_aac:
            continue
        written, cut = command_line(folder / name)
        wanted, rate = soundfile.read(io.BytesIO(written), dtype="float32", always_2d=True)
        answer = call(tab, server, "cleanFile", offer(server, folder / name))
        if "error" in answer:
            wrong[name] = answer
            continue
        got, got_rate = soundfile.read(io.BytesIO(base64.b64decode(answer["bytes"])), dtype="float32", always_2d=True)
        part = slice(0, RATE if name in JOINED else None)  # at a seam of MP3 decoders may differ by a frame
        found = match(got[part, 0], wanted[part, 0])
        lengths = got.shape[0] - wanted.shape[0]
        lengths_of[name] = lengths
        same = got_rate == rate == RATE and abs(lengths) <= LONGEST_FRAME and found >= LEAST_MATCH
        if not same or bool(answer.get("fault")) != cut:
            wrong[name] = (got_rate, rate, lengths, found, answer.get("fault"), cut)
    record_property("AAC in chromium", has_aac)
    differing = {name: n for name, n in lengths_of.items() if n}
    record_property("samples that the page gives beyond the command line, of coded files", differing)
    assert not wrong
