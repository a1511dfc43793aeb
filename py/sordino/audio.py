"""Denoise sound files: any rate and channel count in, the same out, aligned with the input and of the same length."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import soxr

from .engines import Engine
from .numerics import Float32
from .params import HOP, SAMPLE_RATE

BLOCK_SECONDS = 1.0
OUTPUT_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}


class AudioError(ValueError):
    """A sound file cannot be read or written; the message says what was got and what was wanted."""


class _Hops:
    """Feeds blocks of any size to an engine in whole hops and takes the latency off the front."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.waiting, self.to_drop = engine, np.zeros(0, np.float32), engine.latency

    def push(self, samples: Float32) -> Float32:
        joined = np.concatenate([self.waiting, samples])
        whole = joined.shape[0] // HOP * HOP
        self.waiting = joined[whole:]
        out = self.engine.process(joined[:whole]) if whole else joined[:0]
        dropped = min(self.to_drop, out.shape[0])
        self.to_drop -= dropped
        return out[dropped:]

    def flush(self) -> Float32:
        silence = self.engine.latency + (-(self.waiting.shape[0] + self.engine.latency)) % HOP
        return self.push(np.zeros(silence, np.float32))


class _Channel:
    """One channel: input rate -> 48 kHz -> engine -> input rate."""

    def __init__(self, engine: Engine, rate: int) -> None:
        self.hops = _Hops(engine)
        same = rate == SAMPLE_RATE
        self.up = None if same else soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32", quality="VHQ")
        self.down = None if same else soxr.ResampleStream(SAMPLE_RATE, rate, 1, dtype="float32", quality="VHQ")

    def push(self, samples: Float32, last: bool) -> Float32:
        x = self.up.resample_chunk(samples, last=last) if self.up else samples
        y = self.hops.push(x)
        if last:
            y = np.concatenate([y, self.hops.flush()])
        return self.down.resample_chunk(y, last=last) if self.down else y


def open_input(path: Path) -> soundfile.SoundFile:
    """Open a sound file for reading.

    raises  FileNotFoundError; AudioError for a file that is empty, truncated or no sound
    """
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    if path.stat().st_size == 0:
        raise AudioError(f"{path} is an empty file (0 bytes), wanted a sound file")
    try:
        sound = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{path} is no sound file that can be read ({error.error_string})") from error
    data_lines = [line for line in sound.extra_info.splitlines() if line.strip().startswith("data")]
    if any("should be" in line for line in data_lines):
        raise AudioError(f"{path} is truncated: its header announces more samples than the file holds")
    if sound.frames == 0:
        raise AudioError(f"{path} holds no samples")
    return sound


def output_subtype(sound: soundfile.SoundFile, container: str) -> str | None:
    """Sample format of the output: that of the input where it is 16 or 24 bits, 24 bits for finer ones."""
    if container == "OGG":
        return "VORBIS"
    return "PCM_16" if sound.subtype in ("PCM_16", "PCM_S8", "PCM_U8", "VORBIS", "OPUS", "ULAW", "ALAW") else "PCM_24"


def denoise_file(
    source: Path,
    target: Path,
    make_engine: Callable[[], Engine],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Denoise one file; the target appears complete or not at all.

    source       any file libsndfile reads
    target       .wav, .flac or .ogg
    make_engine  makes one stream per channel
    progress     called with (frames done, frames in all)
    raises       FileNotFoundError, AudioError
    """
    container = OUTPUT_FORMATS.get(target.suffix.lower())
    if container is None:
        raise AudioError(f"output {target} ends in {target.suffix!r}, wanted one of {', '.join(OUTPUT_FORMATS)}")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"no such folder: {target.parent}")
    with open_input(source) as sound:
        partial = target.with_name(f".{target.name}.partial")
        try:
            with soundfile.SoundFile(
                partial, "w", sound.samplerate, sound.channels, output_subtype(sound, container), format=container
            ) as out:
                _denoise(sound, out, make_engine, progress)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)


def _denoise(
    sound: soundfile.SoundFile,
    out: soundfile.SoundFile,
    make_engine: Callable[[], Engine],
    progress: Callable[[int, int], None],
) -> None:
    channels = [_Channel(make_engine(), sound.samplerate) for _ in range(sound.channels)]
    size, done, written = int(sound.samplerate * BLOCK_SECONDS), 0, 0
    while done < sound.frames:
        try:
            block = sound.read(size, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{sound.name} is damaged after {done} samples ({error.error_string})") from error
        if block.shape[0] == 0:
            raise AudioError(f"{sound.name} is truncated: {done} of {sound.frames} samples could be read")
        done += block.shape[0]
        columns = [c.push(np.ascontiguousarray(block[:, i]), done >= sound.frames) for i, c in enumerate(channels)]
        frames = np.stack(columns, axis=1)[: sound.frames - written]
        out.write(frames)
        written += frames.shape[0]
        progress(done, sound.frames)
    out.write(np.zeros((sound.frames - written, sound.channels), np.float32))
