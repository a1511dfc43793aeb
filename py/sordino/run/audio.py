"""Denoise sound files and raw samples: any rate and channel count in, the same out, aligned with the input, as long."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile

from sordino.chain.numerics import Float32
from sordino.chain.params import MAX_LOOK_AHEAD
from sordino.chain.records import Settings

from .api import MAX_CHANNELS, MAX_RATE, MIN_RATE
from .engines import Engine, open_engine
from .stream import Chain

BLOCK_SECONDS = 1.0
OUTPUT_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}
LARGEST_WAV_BYTES = 0xF000_0000
COARSE_SUBTYPES = ("PCM_16", "PCM_S8", "PCM_U8", "VORBIS", "OPUS", "ULAW", "ALAW", "MPEG_LAYER_III")
RAW_FORMATS: dict[str, np.dtype[Any]] = {"s16": np.dtype("<i2"), "f32": np.dtype("<f4")}


class AudioError(ValueError):
    """Sound cannot be read or written; the message says what was got and what was wanted."""


@dataclass(frozen=True)
class Treatment:
    """What is done to sound: the arguments of Denoiser."""

    engine: str = "native"
    model: str | Path = "standard"
    settings: Settings = field(default_factory=Settings)
    linked: bool = False
    look_ahead: int = MAX_LOOK_AHEAD

    def open(self) -> Engine:
        """Start one 48 kHz mono stream; raises what open_engine raises."""
        return open_engine(self.engine, self.model, self.settings, self.look_ahead)

    def chain(self, rate: int, channels: int) -> Chain:
        """Raises AudioError for a rate or a channel count out of range, else what open_engine raises."""
        if not MIN_RATE <= rate <= MAX_RATE:
            raise AudioError(f"a sample rate of {rate} Hz, wanted {MIN_RATE}..{MAX_RATE}")
        if not 1 <= channels <= MAX_CHANNELS:
            raise AudioError(f"{channels} channels, wanted 1..{MAX_CHANNELS}")
        native = self.engine == "native"
        return Chain(self.open, rate, channels, self.linked, native)


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
    except TypeError as error:
        raise AudioError(f"{path} is raw samples; wanted a file with a header, or `-` and --rate") from error
    data_lines = [line for line in sound.extra_info.splitlines() if line.strip().startswith("data")]
    problem = None
    if any("should be" in line for line in data_lines):
        problem = "is truncated: its header announces more samples than the file holds"
    elif sound.frames == 0:
        problem = "holds no samples"
    elif not sound.seekable():
        problem = "is no file of known length"
    if problem:
        sound.close()
        raise AudioError(f"{path} {problem}")
    return sound


def output_subtype(sound: soundfile.SoundFile, container: str) -> str:
    """Sample format of the output: that of the input where it is 16 or 24 bits, 24 bits for finer ones."""
    if container == "OGG":
        return "VORBIS"
    return "PCM_16" if sound.subtype in COARSE_SUBTYPES else "PCM_24"


def denoise_file(
    source: Path,
    target: Path,
    treatment: Treatment | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    overwrite: bool = False,
) -> None:
    """Denoise one file; the target appears complete or not at all.

    source     any file libsndfile reads
    target     .wav, .flac or .ogg
    treatment  what is done; default: the model "standard"
    progress   called with (frames done, frames in all); what it raises ends the work
    overwrite  replace an existing target
    raises     FileNotFoundError, FileExistsError, AudioError, EngineError, ModelError, OSError
    """
    container = OUTPUT_FORMATS.get(target.suffix.lower())
    if container is None:
        raise AudioError(f"output {target} ends in {target.suffix!r}, wanted one of {', '.join(OUTPUT_FORMATS)}")
    if "\0" in str(target):
        raise AudioError(f"output {str(target)!r} holds a character that no path can hold")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"no such folder: {target.parent}")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; --force overwrites it")
    if target.exists() and target.samefile(source):
        raise AudioError(f"{target} is the source itself, wanted another file")
    with open_input(source) as sound:
        chain = (treatment or Treatment()).chain(sound.samplerate, sound.channels)
        partial = target.with_name(f".{target.name}.partial")
        try:
            _write(partial, container, sound, cleaned(_blocks(sound), chain), progress)
            _publish(partial, target, overwrite)
        finally:
            partial.unlink(missing_ok=True)


def _write(
    path: Path,
    container: str,
    sound: soundfile.SoundFile,
    blocks: Iterable[Float32],
    progress: Callable[[int, int], None],
) -> None:
    subtype = output_subtype(sound, container)
    if container == "WAV" and 3 * sound.frames * sound.channels > LARGEST_WAV_BYTES:
        container = "RF64"
    try:
        with soundfile.SoundFile(path, "w", sound.samplerate, sound.channels, subtype, format=container) as out:
            written = 0
            for block in blocks:
                out.write(block.T)
                written += block.shape[1]
                progress(written, sound.frames)
    except soundfile.LibsndfileError as error:
        what = f"{sound.channels} channels at {sound.samplerate} Hz in {container}"
        raise AudioError(f"cannot write {what} to {path.parent} ({error.error_string})") from error


def _publish(partial: Path, target: Path, overwrite: bool) -> None:
    """Give a complete file its name, without replacing one that has appeared meanwhile."""
    if not overwrite:
        with contextlib.suppress(PermissionError, NotImplementedError):
            os.link(partial, target)
            return
        if target.exists():
            raise FileExistsError(f"{target} exists; --force overwrites it")
    partial.replace(target)


def _blocks(sound: soundfile.SoundFile) -> Iterator[Float32]:
    done = 0
    while done < sound.frames:
        try:
            block = sound.read(int(sound.samplerate * BLOCK_SECONDS), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise AudioError(f"{sound.name} is damaged after {done} samples ({error.error_string})") from error
        if block.shape[0] == 0:
            raise AudioError(f"{sound.name} is truncated: {done} of {sound.frames} samples could be read")
        done += block.shape[0]
        yield np.ascontiguousarray(block.T)


def cleaned(blocks: Iterable[Float32], chain: Chain) -> Iterator[Float32]:
    """Blocks (channels, n) of any length through a fresh chain; together as long as the input and aligned with it."""
    heard = given = 0
    skip = chain.latency
    for block in blocks:
        heard += block.shape[1]
        out = chain.push(block)
        skipped = min(skip, out.shape[1])
        skip -= skipped
        given += out.shape[1] - skipped
        yield out[:, skipped:]
    silence = np.zeros((chain.channels, chain.latency + chain.rate // 50), np.float32)
    yield chain.push(silence)[:, skip:][:, : heard - given]


def denoise_raw(
    source: BinaryIO, write: Callable[[bytes], object], raw: str, rate: int, channels: int, treatment: Treatment
) -> int:
    """Denoise interleaved samples without a header, as they come.

    source     binary stream; a block is taken as soon as it is there
    write      gets the bytes of the result in the same format
    raw        "s16" or "f32", little-endian
    returns    frames given out
    raises     AudioError, after everything before has been written, where the input ends within a frame
    """
    if raw not in RAW_FORMATS:
        raise AudioError(f"raw format {raw!r}, wanted one of {', '.join(RAW_FORMATS)}")
    chain, dtype, frames = treatment.chain(rate, channels), RAW_FORMATS[raw], 0
    width = dtype.itemsize * channels
    rest = [b""]

    def blocks() -> Iterator[Float32]:
        read = getattr(source, "read1", source.read)
        while data := read(int(width * max(1, rate // 100) * 10)):
            data = rest[0] + data
            whole = len(data) // width * width
            rest[0] = data[whole:]
            samples = np.frombuffer(data[:whole], dtype).reshape(-1, channels).T.astype(np.float32)
            yield np.ascontiguousarray(samples / np.float32(32768) if raw == "s16" else samples)

    for block in cleaned(blocks(), chain):
        out = np.clip(np.rint(block.T * np.float32(32768)), -32768, 32767) if raw == "s16" else block.T
        write(np.ascontiguousarray(out.astype(dtype)).tobytes())
        frames += block.shape[1]
    if rest[0]:
        raise AudioError(f"the input ends within a frame: {len(rest[0])} bytes after {frames} frames of {width} bytes")
    return frames
