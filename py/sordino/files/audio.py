"""Denoise sound files and raw samples: any rate and channel count in, the same out, aligned with the input, as long."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sordino.chain.numerics import Float32
from sordino.chain.params import MAX_LOOK_AHEAD
from sordino.chain.records import Settings
from sordino.run.align import aligned
from sordino.run.api import MAX_RATE, MIN_RATE
from sordino.run.engines import Engine, open_engine
from sordino.run.samples import MAX_CHANNELS
from sordino.run.stream import Chain

from .far_end import beside, mono_at
from .pcm import PcmSound
from .pcm_format import Reader
from .reading import open_sound, open_stream
from .sound import AudioError, Sound, TruncatedError
from .wav_file import WavWriter
from .writing import OUTPUT_FORMATS, for_container, open_writer

__all__ = ["OUTPUT_FORMATS", "AudioError", "Treatment", "TruncatedError", "cleaned", "denoise_file", "denoise_pipe"]

RAW_FORMATS: dict[str, np.dtype[Any]] = {"s16": np.dtype("<i2"), "f32": np.dtype("<f4")}
PARTIAL = re.compile(r"\.(\d+)\.partial$")


@dataclass(frozen=True)
class Treatment:
    """What is done to sound: the arguments of Denoiser, and a recording of what was played meanwhile."""

    engine: str = "native"
    model: str | Path = "standard"
    settings: Settings = field(default_factory=Settings)
    linked: bool = False
    look_ahead: int = MAX_LOOK_AHEAD
    far_end: Path | None = None

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


def denoise_file(
    source: Path,
    target: Path,
    treatment: Treatment | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    overwrite: bool = False,
) -> None:
    """Denoise one file; the target appears complete or not at all.

    source     a sound file or a video with sound
    target     .wav, .flac or .ogg
    treatment  what is done; default: the model "standard"
    progress   called with (frames done, frames in all as far as can be told); what it raises ends the work
    overwrite  replace an existing target
    raises     FileNotFoundError, FileExistsError, AudioError, EngineError, ModelError, OSError; TruncatedError, after
               the target has been written, where the source ends too early or has damaged parts
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
    sound = open_sound(source)
    partial = _partial(target)
    try:
        clean = cleaner(sound, treatment or Treatment())
        if not _write(partial, container, sound, clean, progress):
            raise AudioError(f"{source} " + "; ".join([*sound.faults, "holds no samples"]))
        _publish(partial, target, overwrite)
    finally:
        sound.close()
        partial.unlink(missing_ok=True)
    if sound.faults:
        raise TruncatedError(f"{source} {'; '.join(sound.faults)}; what is there has been cleaned")


def _partial(target: Path) -> Path:
    """Where a result grows: a name that is this process's alone; what processes left that are no more is removed."""
    stem = ".sordino-" + hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]
    for left in target.parent.glob(f"{stem}.*.partial"):
        found = PARTIAL.search(left.name)
        if found and not _is_running(int(found[1])):
            left.unlink(missing_ok=True)
    return target.with_name(f"{stem}.{os.getpid()}.partial")


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _write(
    path: Path, container: str, sound: Sound, clean: Iterator[Float32], progress: Callable[[int, int], None]
) -> int:
    """Returns the frames written."""
    written = 0
    with open_writer(path, container, for_container(sound.format, container)) as out:
        for block in clean:
            out.write(block)
            written += block.shape[1]
            part = sound.part()
            progress(written, max(written + 1, round(written / part) if part > 0 else 0))
    progress(written, written)
    return written


def _publish(partial: Path, target: Path, overwrite: bool) -> None:
    """Give a complete file its name, without replacing one that has appeared meanwhile."""
    if not overwrite:
        try:
            os.link(partial, target)
            return
        except OSError:  # there is one, or this file system has no links
            if target.exists():
                raise FileExistsError(f"{target} exists; --force overwrites it") from None
    partial.replace(target)


def cleaned(blocks: Iterable[Float32], chain: Chain) -> Iterator[Float32]:
    """Blocks (channels, n) of any length through a fresh chain; together as long as the input and aligned with it."""
    return aligned(blocks, chain.push, chain.latency, chain.latency + chain.rate // 50)


def cleaner(sound: Sound, treatment: Treatment) -> Iterator[Float32]:
    """The blocks of a sound, cleaned. raises as Treatment.chain; AudioError for a far end that cannot be read"""
    rate = sound.format.rate
    chain = treatment.chain(rate, sound.format.channels)
    if treatment.far_end is None:
        return cleaned(sound.blocks(), chain)
    both = beside(sound.blocks(), mono_at(treatment.far_end, rate))
    return aligned(both, lambda b: chain.push(b[:-1], b[-1]), chain.latency, chain.latency + chain.rate // 50)


def denoise_raw(
    source: Reader, write: Callable[[bytes], object], raw: str, rate: int, channels: int, treatment: Treatment
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


def denoise_pipe(
    source: BinaryIO, write: Callable[[bytes], object], raw: str, rate: int, channels: int, treatment: Treatment
) -> int:
    """Denoise what comes through a pipe: a sound file with its header becomes a WAV file, anything else is raw.

    source, write, raw, rate, channels  as for denoise_raw; what is no raw samples says its own rate and channels
    returns  frames given out
    raises   what denoise_raw raises; TruncatedError, after everything has been written, where a file lacks its end
    """
    sound, head = open_stream(source)
    if sound is None:
        return denoise_raw(_Joined(head, source), write, raw, rate, channels, treatment)
    chain = treatment.chain(sound.format.rate, sound.format.channels)
    frames = sound.announced if isinstance(sound, PcmSound) else None
    out = WavWriter(_Out(write), sound.format, True, frames)  # type: ignore[arg-type]
    for block in cleaned(sound.blocks(), chain):
        out.write(block)
    out.close()
    if sound.faults:
        raise TruncatedError(f"the input {'; '.join(sound.faults)}; what is there has been cleaned")
    return out.frames


class _Joined:
    """What has been taken from a pipe already, then the pipe."""

    def __init__(self, head: bytes, source: BinaryIO) -> None:
        self.head, self.source = head, source

    def read(self, size: int = -1, /) -> bytes:
        """As much as is there."""
        if self.head:
            head, self.head = self.head, b""
            return head
        return bytes(getattr(self.source, "read1", self.source.read)(size))


class _Out:
    """A function that takes bytes, as a file."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self.write = write
