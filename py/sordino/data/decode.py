"""Decode: an audio file of any format goes in, 48 kHz mono int16 samples come out."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE

from .manifest import CorpusError


def decode(path: Path, first_channel: bool = False) -> NDArray[np.int16]:
    """Decode an audio file to 48 kHz mono.

    path           any file that ffmpeg reads, or libsndfile where there is no ffmpeg
    first_channel  take channel 0 instead of the mean of all (impulse responses)
    returns        (n,) int16
    raises         CorpusError with the decoder's words
    """
    if shutil.which("ffmpeg"):
        mix = ["-af", "pan=mono|c0=c0"] if first_channel else ["-ac", "1"]
        command = ["ffmpeg", "-v", "error", "-nostdin", "-threads", "1", "-i", str(path), *mix]
        command += ["-ar", str(SAMPLE_RATE), "-f", "s16le", "-"]
        result = subprocess.run(command, capture_output=True, check=False)
        if result.returncode or not result.stdout:
            raise CorpusError(f"{path}: ffmpeg: {result.stderr.decode(errors='replace').strip()}")
        return np.frombuffer(result.stdout, np.int16)
    import soundfile
    import soxr

    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise CorpusError(f"{path}: {error}") from error
    mono = audio[:, 0] if first_channel else audio.mean(1)
    if rate != SAMPLE_RATE:
        mono = soxr.resample(mono, rate, SAMPLE_RATE)
    found: NDArray[np.int16] = np.clip(np.round(mono * 32768), -32768, 32767).astype(np.int16)
    return found
