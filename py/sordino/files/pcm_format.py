"""What headers of files with plain samples have in common: fields, sizes that are guesses, exact numbers of bytes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol

from .sound import AudioError, Format

NEAR = 0x1_0000
"""A writer that cannot go back announces one of these sizes, less the headers it has in mind."""
PLACEHOLDERS = (0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
LARGEST_KEPT = 1 << 20
UNPADDED = (b"data", b"fmt ", b"LIST", b"fact", b"bext", b"iXML", b"cue ", b"smpl", b"JUNK", b"id3 ", b"ds64")
"""Names that show that the chunk before, of an odd size, ends without its byte of padding."""
WIDTHS = {"u8": 1, "s8": 1, "ulaw": 1, "alaw": 1, "s16": 2, "s24": 3, "s32": 4, "f32": 4, "f64": 8}
SUBTYPES = {"s24": "PCM_24", "s32": "PCM_32", "f32": "FLOAT", "f64": "DOUBLE"}


class Reader(Protocol):
    """A binary source; what cannot go back has no seek."""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes."""


@dataclass
class Header:
    """What stands before the samples.

    format    of the result
    encoding  a key of WIDTHS
    endian    "<" or ">"
    size      announced bytes of samples; None: until the end
    is_last   nothing but samples comes after the header, whatever size it announces
    """

    format: Format
    encoding: str
    endian: str
    size: int | None
    is_last: bool = False

    @property
    def width(self) -> int:
        return WIDTHS[self.encoding] * self.format.channels


@dataclass
class Fields:
    """What the chunks have said so far."""

    rate: int = 0
    channels: int = 0
    encoding: str = ""
    endian: str = "<"
    mask: int | None = None
    frames: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    chunks: list[tuple[bytes, bytes]] = field(default_factory=list)

    def header(self, size: int | None) -> Header:
        """raises AudioError where the format has not come, or makes no sense"""
        if not self.encoding or not self.channels >= 1 or not self.rate >= 1:
            raise AudioError(f"holds {self.channels} channels at {self.rate} Hz before its samples, wanted 1 or more")
        subtype = SUBTYPES.get(self.encoding, "PCM_16")
        made = Format(self.rate, self.channels, subtype, self.mask, self.tags, tuple(self.chunks))
        return Header(made, self.encoding, self.endian, size)


class Other(Exception):
    """No file with plain samples: another decoder is to try."""


class Taker:
    """Takes exact numbers of bytes."""

    def __init__(self, source: Reader, before: bytes = b"") -> None:
        self.source, self.before = source, before

    def __call__(self, size: int) -> bytes:
        """raises AudioError at the end of the source"""
        parts = [self.before[:size]]
        self.before = self.before[size:]
        size -= len(parts[0])
        while size > 0:
            part = self.source.read(min(size, LARGEST_KEPT))
            if not part:
                raise AudioError("is truncated: it ends before its samples begin")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def skip(self, size: int) -> None:
        """raises AudioError at the end of the source"""
        while size > 0:
            size -= len(self(min(size, LARGEST_KEPT)))

    def pad(self, size: int) -> None:
        """Skip the byte that makes a RIFF chunk even, unless its writer has forgotten it. raises as above"""
        if size % 2:
            next_four = self(4)
            self.before = (next_four if next_four in UNPADDED else next_four[1:]) + self.before


def is_placeholder(size: int) -> bool:
    """Whether a size of 32 bits is what a writer announces that does not know it."""
    return size == 0 or any(top - NEAR <= size <= top + NEAR for top in PLACEHOLDERS)


def text(content: bytes) -> str:
    """Up to the first zero; UTF-8, else Latin-1."""
    content = content.split(b"\0")[0]
    try:
        return content.decode().strip()
    except UnicodeDecodeError:
        return content.decode("latin-1").strip()


def with_chunks(header: Header, fields: Fields) -> Header:
    """The header with what came after the samples."""
    tags = {**header.format.tags, **fields.tags}
    chunks = header.format.chunks + tuple(fields.chunks)
    return replace(header, format=replace(header.format, tags=tags, chunks=chunks))
