"""What a container's structure tells of a coded file: its links, its packets, its promised end; coded.py judges."""

from __future__ import annotations

import struct
from typing import BinaryIO

TAIL = 1 << 17
BOS, EOS = 2, 4
EBML, SEGMENT, CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
DEEPER = (SEGMENT, CLUSTER, 0xA0)
"""Elements of Matroska to look into when their size is not known: segment, cluster, group of blocks."""
ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
MPEG_BITRATES = {
    (3, 3): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (3, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (3, 1): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 3): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 1): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""kbit/s by (3 for MPEG-1, else 2; 3, 2, 1 for layers I, II, III)."""
MP3_HEAD = 4096
MP3_COUNTS = {b"Xing": 4, b"Info": 4, b"VBRI": 10}
"""What marks a count of frames in the first frame, and how far behind that it stands."""
AMR_NB = (12, 13, 15, 17, 19, 20, 26, 31, 5)
AMR_WB = (17, 23, 32, 36, 40, 46, 50, 58, 60, 5)


def missing_end(file: BinaryIO, size: int, container: str) -> str | None:
    """What is missing at the end of a file, or None.

    file       stays where it is not needed again
    size       its bytes
    container  ffmpeg's name of it
    """
    if container == "ogg":
        return _ogg(file, size)
    if container.startswith("mov"):
        return _boxes(file, size)
    if container.startswith("matroska"):
        return _matroska(file, size)
    if container == "asf":
        return _asf(file, size)
    if container in ("wav", "caf"):
        return _chunks(file, size, container)
    return None


def _ogg(file: BinaryIO, size: int) -> str | None:
    file.seek(max(0, size - TAIL))
    tail = file.read(TAIL)
    at = tail.rfind(b"OggS")
    if at < 0 or len(tail) < at + 27:
        return "its last page is cut"
    segments = tail[at + 27 : at + 27 + tail[at + 26]]
    if len(segments) < tail[at + 26] or at + 27 + len(segments) + sum(segments) > len(tail):
        return "its last page is cut"
    return None if tail[at + 5] & EOS else "it has no last page"


def _boxes(file: BinaryIO, size: int) -> str | None:
    at = 0
    while at + 8 <= size:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if length == 1:
            length = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))[0]
        if length == 0:
            return None
        if length < 8 or not name.isascii():
            return None
        at += length
    return None if at == size else f"{max(at - size, 1)} bytes are missing"


def second_file(file: BinaryIO, size: int) -> int | None:
    """Where in an MP4 file another one begins that stands behind it; None where it is the only one, or in fragments."""
    starts, at = list[int](), 0
    while at + 8 <= size:
        file.seek(at)
        length, name = struct.unpack(">I4s", file.read(8))
        if length == 1:
            length = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))[0]
        if name in (b"moof", b"styp") or length < 8:
            return None
        if name == b"ftyp":
            starts.append(at)
        at += length
    return starts[1] if len(starts) > 1 else None


def _chunks(file: BinaryIO, size: int, container: str) -> str | None:
    at, form = (12, "<4sI") if container == "wav" else (8, ">4sq")
    head = struct.calcsize(form)
    while at + head <= size:
        file.seek(at)
        name, length = struct.unpack(form, file.read(head))
        if name == b"data" and (length <= 0 or length >= 0x7FFF_0000):
            return None
        at += head + length + (length % 2 if container == "wav" else 0)
    return f"{at - size} bytes are missing" if at > size + 1 else None


def chain_links(file: BinaryIO, size: int) -> list[tuple[int, int]]:
    """(start, bytes) of each link of an Ogg file that is a chain of several; nothing for other files."""
    starts, at, was_first = list[int](), 0, False
    file.seek(0)
    while file.read(4) == b"OggS" or (at := _next_page(file, at, size)) < size:
        file.seek(at)
        head = file.read(27)
        if len(head) < 27:
            break
        if head[5] & BOS and not was_first:
            starts.append(at)
        was_first = bool(head[5] & BOS)
        at += 27 + head[26] + sum(file.read(head[26]))
        file.seek(at)
    file.seek(0)
    return [(start, end - start) for start, end in zip(starts, [*starts[1:], size], strict=False)]


def _next_page(file: BinaryIO, at: int, size: int) -> int:
    """Where the next page begins after a place where none does; for what is no Ogg file: its end."""
    if at == 0:
        return size
    file.seek(at)
    found = file.read(TAIL).find(b"OggS")
    return size if found < 0 else at + found


def _number(file: BinaryIO, keep_mark: bool) -> tuple[int, int]:
    """(value, bytes) of a number of EBML; (-1, bytes): not known; (0, 0): the file ends."""
    first = file.read(1)
    if not first or first[0] == 0:
        return 0, 0
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    if len(rest) < length - 1:
        return 0, 0
    raw = int.from_bytes(first + rest, "big")
    value = raw & ((1 << 7 * length) - 1)
    if keep_mark:
        return raw, length
    return (-1 if value == (1 << 7 * length) - 1 else value), length


def _matroska(file: BinaryIO, size: int) -> str | None:
    at = 0
    while at < size:
        file.seek(at)
        name, name_bytes = _number(file, True)
        value, size_bytes = _number(file, False)
        if not name_bytes or not size_bytes:
            return "its last element is cut"
        at += name_bytes + size_bytes
        if value < 0 and name in DEEPER:
            continue
        if value < 0:
            return None
        at += value
        if at > size:
            return f"{at - size} bytes are missing"
    return None


def _asf(file: BinaryIO, size: int) -> str | None:
    file.seek(0)
    head = file.read(1 << 16)
    at = head.find(ASF_FILE_PROPERTIES)
    if at < 0 or len(head) < at + 92:
        return None
    announced = struct.unpack("<Q", head[at + 40 : at + 48])[0]
    live = head[at + 88] & 1
    return f"{announced - size} bytes are missing" if announced > size and not live else None


def packet_bytes(codec: str, head: bytes) -> int | None:
    """Bytes that a packet has according to its own beginning; None where it does not say."""
    if codec.startswith(("mp3", "mp2", "mp1")) and len(head) >= 4:
        return _mpeg_bytes(head)
    if codec == "aac" and len(head) >= 7 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if codec.startswith(("amr", "libopencore")) and head:
        sizes, kind = AMR_WB if "wb" in codec else AMR_NB, head[0] >> 3 & 15
        return 1 + sizes[kind] if kind < len(sizes) else 1
    return None


def _mpeg_bytes(head: bytes) -> int | None:
    version, layer, padding = head[1] >> 3 & 3, head[1] >> 1 & 3, head[2] >> 1 & 1
    rates = MPEG_BITRATES.get((3 if version == 3 else 2, layer))
    if head[0] != 0xFF or head[1] < 0xE0 or version == 1 or rates is None:
        return None
    index, rate_index = head[2] >> 4, head[2] >> 2 & 3
    if not 0 < index < 15 or rate_index == 3:
        return None
    rate = (44_100, 48_000, 32_000)[rate_index] >> {3: 0, 2: 1, 0: 2}[version]
    bits = 1000 * rates[index]
    if layer == 3:
        return (12 * bits // rate + padding) * 4
    samples = 1152 if layer == 2 or version == 3 else 576
    return samples // 8 * bits // rate + padding


def mp3_samples(file: BinaryIO) -> int | None:
    """The samples of an MP3 file that tells how many frames it has (Xing, Info or VBRI); None where it does not."""
    file.seek(0)
    head, start = file.read(10), 0
    while head[:3] == b"ID3" and len(head) == 10:
        start += 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9])
        file.seek(start)
        head = file.read(10)
    frame = head + file.read(MP3_HEAD)
    for mark, count_at in MP3_COUNTS.items():
        before, found, behind = frame.partition(mark)
        if found and len(behind) >= 14 and (mark == b"VBRI" or behind[3] & 1):
            is_mpeg1 = before.rpartition(b"\xff")[2][:1] >= b"\xf8"
            return int.from_bytes(behind[count_at : count_at + 4], "big") * (1152 if is_mpeg1 else 576)
    return None
