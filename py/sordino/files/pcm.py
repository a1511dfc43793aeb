"""Plain samples from a file or a pipe, read by the header before them: blocks of float32; the page's twin is pcm.ts."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from sordino.chain.numerics import Float32

from .pcm_format import LARGEST_KEPT, Fields, Header, Reader, Taker, with_chunks
from .riff_header import note_chunk
from .sound import AudioError

WRAP = 1 << 32
FORMS = {**dict.fromkeys((b"RIFF", b"RIFX", b"RF64", b"BW64"), (b"WAVE",)), b"FORM": (b"AIFF", b"AIFC")}
"""How a sound file begins that stands behind another one: name, and kind after the size."""
DTYPES = {"u8": "u1", "s8": "i1", "s16": "i2", "s32": "i4", "f32": "f4", "f64": "f8"}


def _alaw() -> Float32:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    size = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return (np.where(code & 0x80, size, -size) / 32768).astype(np.float32)


def _mulaw() -> Float32:
    code = np.arange(256) ^ 0xFF
    size = ((((code & 15) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return (np.where(code & 0x80, -size, size) / 32768).astype(np.float32)


TABLES = {"alaw": _alaw(), "ulaw": _mulaw()}


def to_float(data: bytes, header: Header) -> Float32:
    """Whole frames as (channels, n) float32 of full scale 1."""
    encoding, endian = header.encoding, header.endian
    x: NDArray[np.float32]
    if encoding in TABLES:
        x = TABLES[encoding][np.frombuffer(data, np.uint8)]
    elif encoding == "s24":
        raw = np.frombuffer(data, np.uint8).reshape(-1, 3)
        wide = np.zeros((raw.shape[0], 4), np.uint8)
        wide[:, 1:] = raw if endian == "<" else raw[:, ::-1]
        x = wide.view("<i4")[:, 0].astype(np.float32) * np.float32(2**-31)
    else:
        values = np.frombuffer(data, np.dtype(endian + DTYPES[encoding]))
        if encoding.startswith("f"):
            with np.errstate(over="ignore", invalid="ignore"):
                x = values.astype(np.float32)
        elif encoding == "u8":
            x = (values.astype(np.float32) - 128) / np.float32(128)
        else:
            x = values.astype(np.float32) * np.float32(2.0 ** (1 - 8 * values.itemsize))
    return np.ascontiguousarray(x.reshape(-1, header.format.channels).T)


class PcmSound:
    """A file, or a stream, from its first sample on.

    source  stands at the first sample
    bytes   of the whole source; None: it is a stream
    """

    def __init__(self, source: Reader, header: Header, total: int | None, close: Callable[[], object]) -> None:
        self.source, self.header, self._close = source, header, close
        self.faults: list[str] = []
        self.read = 0
        self.size = header.size
        if total is not None:
            self._look_around(total)
        self.format = self.header.format

    def _look_around(self, total: int) -> None:
        """Compare the size announced with the file's, and take tags from behind the samples."""
        start = self.source.tell()  # type: ignore[attr-defined]
        rest = total - start
        if self.size is None:
            self.size = rest
        elif rest > self.size and (rest - self.size) % WRAP == 0:
            self.size = rest  # more than the 4 GB that the header can tell
        elif self.size < rest and self.header.is_last:
            self.size = rest
        elif self.size < rest:
            self.source.seek(start + self.size)  # type: ignore[attr-defined]
            fields, left_out = _look_behind(self.source, self.size)
            self.header = with_chunks(self.header, fields)
            self.faults += [f"is followed by {left_out}, which is left out"] if left_out else []
            self.source.seek(start)  # type: ignore[attr-defined]

    @property
    def announced(self) -> int | None:
        """Frames that will come, as far as the header says."""
        return None if self.size is None else self.size // self.header.width

    def close(self) -> None:
        self._close()

    def part(self) -> float:
        return min(1.0, self.read / self.size) if self.size else 0.0

    def blocks(self) -> Iterator[Float32]:
        """Raises nothing of its own: what is missing is in faults afterwards."""
        width = self.header.width
        block = width * max(1, self.format.rate)
        take, rest = getattr(self.source, "read1", self.source.read), b""
        while self.size is None or self.read < self.size:
            data = take(block if self.size is None else min(block, self.size - self.read))
            if not data:
                break
            self.read += len(data)
            data = rest + data
            whole = len(data) // width * width
            rest = data[whole:]
            if whole:
                yield to_float(data[:whole], self.header)
        self._judge(len(rest))

    def _judge(self, rest: int) -> None:
        width, announced = self.header.width, self.header.size and self.size
        if announced is not None and self.read < announced // width * width:
            frames = self.read // width, announced // width
            self.faults.append(f"is truncated: {frames[0]} of the {frames[1]} samples that it announces are there")
        elif announced is None and rest:
            self.faults.append(f"is truncated: it ends within a sample, {rest} bytes after the last whole one")


def _look_behind(source: Reader, size: int) -> tuple[Fields, str | None]:
    """What RIFF chunks behind so many bytes of samples say, and what sound stands there; the rest is passed over."""
    fields, take = Fields(), Taker(source)
    try:
        take.pad(size)
        while True:
            name, size = struct.unpack("<4sI", take(8))
            if name in FORMS and take(4) in FORMS[name]:
                return fields, "another sound file"
            if name == b"data" and size:
                return fields, "a second chunk of samples"
            if not name.strip().isalnum() or name in FORMS:
                return fields, None
            if size > LARGEST_KEPT:
                take.skip(size)
            elif name != b"fmt ":
                note_chunk(fields, name, take(size))
            take.pad(size)
    except AudioError:
        return fields, None


def file_size(file: Reader) -> int:
    """Bytes of an opened file."""
    return os.fstat(file.fileno()).st_size  # type: ignore[attr-defined]
