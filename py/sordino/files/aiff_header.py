"""Headers of AIFF, AU and CAF files with plain samples."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

from .pcm_format import LARGEST_KEPT, NEAR, Fields, Header, Other, Taker, is_placeholder, text
from .riff_header import INFO_NAMES
from .sound import AudioError

AU_ENCODINGS = {1: "ulaw", 2: "s8", 3: "s16", 4: "s24", 5: "s32", 6: "f32", 7: "f64", 27: "alaw"}
AIFC_ENCODINGS = {
    b"NONE": ("int", ">"), b"twos": ("int", ">"), b"sowt": ("int", "<"), b"in24": ("s24", ">"), b"in32": ("s32", ">"),
    b"fl32": ("f32", ">"), b"FL32": ("f32", ">"), b"fl64": ("f64", ">"), b"FL64": ("f64", ">"),
    b"alaw": ("alaw", ">"), b"ALAW": ("alaw", ">"), b"ulaw": ("ulaw", ">"), b"ULAW": ("ulaw", ">"),
    b"raw ": ("u8", ">"),
}  # fmt: skip
CAF_SURROUND = {
    100: 0x4, 101: 0x3, 108: 0x33, 113: 0x7, 116: 0x107, 117: 0x37, 121: 0x3F, 124: 0x13F, 127: 0xFF,
    131: 0x103, 132: 0x33, 133: 0xB, 136: 0x10B, 139: 0x30F, 142: 0x70F,
}  # fmt: skip
"""Channel layout tags of Core Audio whose order of channels is that of WAV, by their upper half."""


def aiff(take: Taker, head: bytes) -> Header:
    """The header of an AIFF file that begins with `head` (16 bytes). raises Other, AudioError, as read_header does"""
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


def au(take: Taker, head: bytes) -> Header:
    """The header of an AU file that begins with `head` (16 bytes). raises Other, AudioError, as read_header does"""
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


def caf(take: Taker, head: bytes) -> Header:
    """The header of a CAF file that begins with `head` (16 bytes). raises Other, AudioError, as read_header does"""
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
