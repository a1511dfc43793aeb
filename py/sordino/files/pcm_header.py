"""Headers of files with plain samples: WAV (RIFF, RIFX, RF64, BW64, Wave64), AIFF, AU and CAF, also from a pipe."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from .sound import AudioError, Format

UNKNOWN_64 = 0xFFFF_FFFF_FFFF_FFFF
NEAR = 0x1_0000
"""A writer that cannot go back announces one of these sizes, less the headers it has in mind."""
PLACEHOLDERS = (0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
LARGEST_KEPT = 1 << 20
UNPADDED = (b"data", b"fmt ", b"LIST", b"fact", b"bext", b"iXML", b"cue ", b"smpl", b"JUNK", b"id3 ", b"ds64")
"""Names that show that the chunk before, of an odd size, ends without its byte of padding."""
KEPT_CHUNKS = (b"bext", b"iXML", b"axml", b"chna", b"cue ", b"smpl")
INFO_NAMES = {
    b"INAM": "title", b"IART": "artist", b"IPRD": "album", b"ICRD": "date", b"IGNR": "genre", b"ICMT": "comment",
    b"IPRT": "track", b"ICOP": "copyright", b"ILNG": "language", b"IENG": "engineer", b"IKEY": "keywords",
    b"ISBJ": "subject", b"ISRC": "source",
}  # fmt: skip
W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
AU_ENCODINGS = {1: "ulaw", 2: "s8", 3: "s16", 4: "s24", 5: "s32", 6: "f32", 7: "f64", 27: "alaw"}
AIFC_ENCODINGS = {
    b"NONE": ("int", ">"), b"twos": ("int", ">"), b"sowt": ("int", "<"), b"in24": ("s24", ">"), b"in32": ("s32", ">"),
    b"fl32": ("f32", ">"), b"FL32": ("f32", ">"), b"fl64": ("f64", ">"), b"FL64": ("f64", ">"),
    b"alaw": ("alaw", ">"), b"ALAW": ("alaw", ">"), b"ulaw": ("ulaw", ">"), b"ULAW": ("ulaw", ">"),
    b"raw ": ("u8", ">"),
}  # fmt: skip
WIDTHS = {"u8": 1, "s8": 1, "ulaw": 1, "alaw": 1, "s16": 2, "s24": 3, "s32": 4, "f32": 4, "f64": 8}
SUBTYPES = {"s24": "PCM_24", "s32": "PCM_32", "f32": "FLOAT", "f64": "DOUBLE"}
CAF_SURROUND = {
    100: 0x4, 101: 0x3, 108: 0x33, 113: 0x7, 116: 0x107, 117: 0x37, 121: 0x3F, 124: 0x13F, 127: 0xFF,
    131: 0x103, 132: 0x33, 133: 0xB, 136: 0x10B, 139: 0x30F, 142: 0x70F,
}  # fmt: skip
"""Channel layout tags of Core Audio whose order of channels is that of WAV, by their upper half."""


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


def read_header(source: Reader, head: bytes) -> Header:
    """The header of a file that begins with `head` (16 bytes, taken already); the source then stands at the samples.

    raises  Other for what has another decoder; AudioError for a header that ends or makes no sense
    """
    take = Taker(source)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return _riff(take, head)
    if head == W64_RIFF:
        return _wave64(take)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return _aiff(take, head)
    if head[:4] in (b".snd", b"dns."):
        return _au(take, head)
    if head[:4] == b"caff":
        return _caf(take, head)
    raise Other


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


def riff_size(size: int, long_size: int | None) -> int | None:
    """Bytes of the data chunk: of a size of 32 bits, or the one of 64 bits that replaces it."""
    if long_size is not None and size == 0xFFFF_FFFF:
        return None if long_size in (0, UNKNOWN_64) else long_size
    return None if is_placeholder(size) else size


def _riff(take: Taker, head: bytes) -> Header:
    endian = ">" if head[:4] == b"RIFX" else "<"
    take.before, fields, long_size = head[12:], Fields(endian=endian), None
    while True:
        name, size = struct.unpack(f"{endian}4sI", take(8))
        if name == b"data":
            return fields.header(riff_size(size, long_size))
        if name == b"ds64":
            content = take(size + size % 2)
            long_size = struct.unpack("<Q", content[8:16])[0]
        elif size > LARGEST_KEPT:
            take.skip(size)
            take.pad(size)
        else:
            note_chunk(fields, name, take(size))
            take.pad(size)


def note_chunk(fields: Fields, name: bytes, content: bytes) -> None:
    """A chunk of a RIFF file, not longer than LARGEST_KEPT. raises AudioError for a format that makes no sense"""
    if name == b"fmt ":
        _wave_format(fields, content)
    elif name == b"LIST" and content[:4] == b"INFO":
        fields.tags.update(_info(content[4:], fields.endian))
    elif fields.endian == "<" and (name in KEPT_CHUNKS or (name == b"LIST" and content[:4] == b"adtl")):
        fields.chunks.append((name, content))


def _wave_format(fields: Fields, content: bytes) -> None:
    if len(content) < 16:
        raise AudioError(f"has a format of {len(content)} bytes, wanted 16 or more")
    kind, channels, rate, _, align, bits = struct.unpack(f"{fields.endian}HHIIHH", content[:16])
    if kind == EXTENSIBLE and len(content) >= 40:
        fields.mask = struct.unpack(f"{fields.endian}I", content[20:24])[0]
        kind = struct.unpack(f"{fields.endian}H", content[24:26])[0]
    align = align or channels * ((bits + 7) // 8)
    bytes_each = align // channels if channels and align % channels == 0 else 0
    names = {
        PCM: {1: "u8", 2: "s16", 3: "s24", 4: "s32"}, FLOAT: {4: "f32", 8: "f64"}, ALAW: {1: "alaw"}, MULAW: {1: "ulaw"}
    }  # fmt: skip
    if kind not in names:
        raise Other
    encoding = names[kind].get(bytes_each, "")
    if not encoding or not 0 < bits <= 8 * bytes_each or (kind == FLOAT and bits != 8 * bytes_each):
        raise AudioError(f"announces {channels} channels of {bits} bits in frames of {align} bytes, which is no format")
    fields.channels, fields.rate, fields.encoding = channels, rate, encoding


def _info(content: bytes, endian: str) -> dict[str, str]:
    found, at = {}, 0
    while at + 8 <= len(content):
        name, size = struct.unpack(f"{endian}4sI", content[at : at + 8])
        words = text(content[at + 8 : at + 8 + size])
        if name in INFO_NAMES and words:
            found[INFO_NAMES[name]] = words
        at += 8 + size + size % 2
    return found


def text(content: bytes) -> str:
    """Up to the first zero; UTF-8, else Latin-1."""
    content = content.split(b"\0")[0]
    try:
        return content.decode().strip()
    except UnicodeDecodeError:
        return content.decode("latin-1").strip()


def _wave64(take: Taker) -> Header:
    take.skip(8 + 16)
    fields = Fields()
    while True:
        guid, size = take(16), struct.unpack("<Q", take(8))[0]
        if guid == b"data" + W64_TAIL:
            unknown = size <= 24 or size >= UNKNOWN_64 >> 1
            return fields.header(None if unknown else size - 24)
        size -= 24
        padded = size + -size % 8
        if not 0 <= size < 1 << 40:
            raise AudioError(f"has a chunk of {size} bytes before its samples")
        if size > LARGEST_KEPT:
            take.skip(padded)
        elif guid[4:] == W64_TAIL:
            note_chunk(fields, guid[:4], take(padded)[:size])
        else:
            take.skip(padded)


def _aiff(take: Taker, head: bytes) -> Header:
    take.before, fields = head[12:], Fields(endian=">")
    notes: dict[bytes, Callable[[bytes], None]] = {
        b"COMM": lambda content: _aiff_common(fields, content, head[8:12] == b"AIFC"),
        b"NAME": lambda content: fields.tags.update(title=text(content)),
        b"AUTH": lambda content: fields.tags.update(artist=text(content)),
        b"(c) ": lambda content: fields.tags.update(copyright=text(content)),
        b"ANNO": lambda content: fields.tags.update(comment=text(content)),
    }
    while True:
        name, size = struct.unpack(">4sI", take(8))
        if name == b"SSND":
            take.skip(struct.unpack(">I", take(8)[:4])[0])
            made = fields.header(None)
            whole = (fields.frames or 0) * made.width
            # The count of frames of a file from a pipe is as much a guess as its sizes.
            known = size - 8 if not is_placeholder(size) and not 0x7F00_0000 <= size <= 0x7F00_0000 + NEAR else None
            made.size = whole if known is not None and 0 < whole <= known else known
            return made
        content = take(size + size % 2)[:size] if size <= LARGEST_KEPT else None
        if content is None:
            take.skip(size + size % 2)
        elif name in notes:
            notes[name](content)


def _aiff_common(fields: Fields, content: bytes, compressed: bool) -> None:
    if len(content) < 18:
        raise AudioError(f"has a format of {len(content)} bytes, wanted 18 or more")
    channels, frames, bits, exponent, mantissa = struct.unpack(">HIHHQ", content[:18])
    fields.channels, fields.frames = channels, frames
    shift = 16383 + 63 - (exponent & 0x7FFF)
    fields.rate = round(mantissa / 2**shift) if 0 <= shift < 128 else 0
    kind, fields.endian = AIFC_ENCODINGS.get(content[18:22], ("", "")) if compressed else ("int", ">")
    if not kind:
        raise Other
    by_width = {1: "s8", 2: "s16", 3: "s24", 4: "s32"}
    fields.encoding = by_width.get((bits + 7) // 8, "") if kind == "int" else kind


def _au(take: Taker, head: bytes) -> Header:
    endian = ">" if head[:4] == b".snd" else "<"
    offset, size, encoding = struct.unpack(f"{endian}III", head[4:16])
    rate, channels = struct.unpack(f"{endian}II", take(8))
    if encoding not in AU_ENCODINGS:
        raise Other
    if not 24 <= offset <= LARGEST_KEPT:
        raise AudioError(f"says that its samples begin at byte {offset}")
    fields = Fields(rate, channels, AU_ENCODINGS[encoding], endian)
    comment = text(take(offset - 24))
    if comment and not comment.startswith("Processed by"):
        fields.tags["comment"] = comment
    return replace(fields.header(None if is_placeholder(size) else size), is_last=True)


def _caf(take: Taker, head: bytes) -> Header:
    take.before, fields = head[8:], Fields(endian=">")
    while True:
        name, size = struct.unpack(">4sq", take(12))
        if name == b"data":
            take.skip(4)
            return fields.header(size - 4 if size > 4 else None)
        if size < 0:
            raise AudioError(f"has a chunk of {size} bytes before its samples")
        if size > LARGEST_KEPT:
            take.skip(size)
            continue
        content = take(size)
        if name == b"desc":
            _caf_description(fields, content)
        elif name == b"chan" and len(content) >= 8:
            tag, bitmap = struct.unpack(">II", content[:8])
            known = bitmap if tag == 0x1_0000 else CAF_SURROUND.get(tag >> 16)
            fields.mask = known if fields.channels > 2 else None
        elif name == b"info":
            words = [text(part) for part in content[4:].split(b"\0")]
            named = {k.lower(): v for k, v in zip(words[::2], words[1::2], strict=False)}
            fields.tags.update({k: v for k, v in named.items() if v and k in INFO_NAMES.values()})


def _caf_description(fields: Fields, content: bytes) -> None:
    rate, kind, flags, packet, frames, channels, _ = struct.unpack(">d4sIIIII", content[:32])
    fields.rate, fields.channels = round(rate) if 0 < rate < 1e9 else 0, channels
    if kind in (b"alaw", b"ulaw"):
        fields.encoding = kind.decode()
        return
    if kind != b"lpcm" or frames != 1:
        raise Other
    width = packet // channels if channels else 0
    fields.encoding = ({4: "f32", 8: "f64"} if flags & 1 else {1: "s8", 2: "s16", 3: "s24", 4: "s32"}).get(width, "")
    fields.endian = "<" if flags & 2 else ">"


def with_chunks(header: Header, fields: Fields) -> Header:
    """The header with what came after the samples."""
    tags = {**header.format.tags, **fields.tags}
    chunks = header.format.chunks + tuple(fields.chunks)
    return replace(header, format=replace(header.format, tags=tags, chunks=chunks))
