"""Headers of RIFF files with plain samples: WAV (RIFF, RIFX, RF64, BW64) and Wave64, with their tags and chunks."""

from __future__ import annotations

import struct

from .pcm_format import LARGEST_KEPT, Fields, Header, Other, Taker, is_placeholder, text
from .sound import AudioError

UNKNOWN_64 = 0xFFFF_FFFF_FFFF_FFFF
KEPT_CHUNKS = (b"bext", b"iXML", b"axml", b"chna", b"cue ", b"smpl")
INFO_NAMES = {
    b"INAM": "title", b"IART": "artist", b"IPRD": "album", b"ICRD": "date", b"IGNR": "genre", b"ICMT": "comment",
    b"IPRT": "track", b"ICOP": "copyright", b"ILNG": "language", b"IENG": "engineer", b"IKEY": "keywords",
    b"ISBJ": "subject", b"ISRC": "source",
}  # fmt: skip
W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
PCM, FLOAT, ALAW, MULAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE


def riff_size(size: int, long_size: int | None) -> int | None:
    """Bytes of the data chunk: of a size of 32 bits, or the one of 64 bits that replaces it."""
    if long_size is not None and size == 0xFFFF_FFFF:
        return None if long_size in (0, UNKNOWN_64) else long_size
    return None if is_placeholder(size) else size


def riff(take: Taker, head: bytes) -> Header:
    """The header of a RIFF file that begins with `head` (16 bytes). raises Other, AudioError, as read_header does"""
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


def wave64(take: Taker) -> Header:
    """The header of a Wave64 file behind its first 16 bytes. raises Other, AudioError, as read_header does"""
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
