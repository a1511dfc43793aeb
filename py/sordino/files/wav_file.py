"""Write WAV files: integers or floats, loudspeakers, tags, what a broadcast file carries; beyond 4 GB as RF64.

The page's twin is web/demo/wav/writer.ts; both write the same bytes.
"""

from __future__ import annotations

import struct
from typing import BinaryIO

import numpy as np

from sordino.chain.numerics import Float32

from .riff_header import EXTENSIBLE, FLOAT, INFO_NAMES, PCM
from .sound import Format

BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32, "FLOAT": 32, "DOUBLE": 64}
SUBFORMAT_TAIL = bytes.fromhex("000000001000800000aa00389b71")
LARGEST_32 = 0xFFFF_FFFE
DS64_BYTES = 36
MOVED_AT_ONCE = 1 << 24
BEXT = {"description": 256, "originator": 32, "originator_reference": 32, "origination_date": 10, "origination_time": 8}
"""Fields of the broadcast extension that FFmpeg and others keep as tags, and their bytes."""
BEXT_BYTES = 602


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def wav_head(form: Format) -> bytes:
    """All between the first 12 bytes and the samples; the count of frames of a float file is still 0."""
    bits = BITS[form.subtype]
    frame_bytes = form.channels * bits // 8
    kind = FLOAT if form.subtype in ("FLOAT", "DOUBLE") else PCM
    outer = kind if form.mask is None else EXTENSIBLE
    head = struct.pack("<HHIIHH", outer, form.channels, form.rate, form.rate * frame_bytes, frame_bytes, bits)
    if form.mask is not None:
        head += struct.pack("<HHIH", 22, bits, form.mask, kind) + SUBFORMAT_TAIL
    made = chunk(b"fmt ", head)
    if kind == FLOAT:
        made += chunk(b"fact", bytes(4))
    chunks = list(form.chunks)
    if "time_reference" in form.tags and not any(name == b"bext" for name, _ in chunks):
        chunks.insert(0, (b"bext", bext(form.tags)))
    made += b"".join(chunk(name, content) for name, content in chunks)
    info = b"".join(
        chunk(name, form.tags[key].encode() + b"\0") for name, key in INFO_NAMES.items() if form.tags.get(key)
    )
    return made + (chunk(b"LIST", b"INFO" + info) if info else b"")


def bext(tags: dict[str, str]) -> bytes:
    """A broadcast extension from tags; a time reference that is no number is 0."""
    words = b"".join(tags.get(name, "").encode()[:size].ljust(size, b"\0") for name, size in BEXT.items())
    digits = tags["time_reference"]
    return (words + struct.pack("<Q", int(digits) if digits.isdigit() else 0)).ljust(BEXT_BYTES, b"\0")


def bext_tags(content: bytes) -> dict[str, str]:
    """The tags that say what a broadcast extension says, for containers that have none."""
    found, at = {}, 0
    for name, size in BEXT.items():
        words = content[at : at + size].split(b"\0")[0].decode("utf-8", "replace").strip()
        at += size
        if words:
            found[name] = words
    if len(content) >= at + 8:
        found["time_reference"] = str(struct.unpack("<Q", content[at : at + 8])[0])
    return found


def quantise(samples: Float32, subtype: str) -> bytes:
    """Interleaved little-endian samples of (channels, n); integers are rounded and clipped, floats are left alone."""
    x = np.ascontiguousarray(samples.T)
    if subtype in ("FLOAT", "DOUBLE"):
        return x.astype("<f4" if subtype == "FLOAT" else "<f8").tobytes()
    top = 2.0 ** (BITS[subtype] - 1)
    whole = np.clip(np.floor(x.astype(np.float64) * top + 0.5), -top, top - 1).astype("<i4")
    if subtype == "PCM_16":
        return whole.astype("<i2").tobytes()
    return whole.tobytes() if subtype == "PCM_32" else whole.view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


class WavWriter:
    """Writes to a file that can go back, or with `frames` to a pipe.

    frames  that will come, as far as is known; None to a pipe: sizes are those of a file without end
    """

    def __init__(self, out: BinaryIO, form: Format, piped: bool = False, frames: int | None = None) -> None:
        self.out, self.form, self.piped = out, form, piped
        self.head = wav_head(form)
        self.frame_bytes = form.channels * BITS[form.subtype] // 8
        self.frames = 0
        out.write(self._start(frames if piped else 0))

    def _start(self, frames: int | None) -> bytes:
        """The file up to its samples."""
        data = LARGEST_32 + 1 if frames is None else frames * self.frame_bytes
        riff = 4 + len(self.head) + 8 + data + data % 2
        head = self.head
        if self.form.subtype in ("FLOAT", "DOUBLE"):
            at = head.index(b"fact") + 8
            head = head[:at] + struct.pack("<I", min(frames or 0, 0xFFFF_FFFF)) + head[at + 4 :]
        if riff > LARGEST_32:
            riff = data = 0xFFFF_FFFF
        return b"RIFF" + struct.pack("<I", riff) + b"WAVE" + head + b"data" + struct.pack("<I", data)

    def write(self, samples: Float32) -> None:
        self.out.write(quantise(samples, self.form.subtype))
        self.frames += samples.shape[1]

    def close(self) -> None:
        """Complete the file; what has been opened stays open."""
        data = self.frames * self.frame_bytes
        if data % 2:
            self.out.write(b"\0")
        if self.piped:
            return
        start = self._start(self.frames)
        if start[4:8] == b"\xff\xff\xff\xff":
            start = self._make_room(start, data)
        self.out.seek(0)
        self.out.write(start)

    def abandon(self) -> None:
        """Nothing to let go of."""

    def _make_room(self, start: bytes, data: int) -> bytes:
        """Move the samples back by a chunk with sizes of 64 bits, from the end on. Returns the longer start."""
        end = self.out.seek(0, 2)
        begin = len(start)
        while end > begin:
            size = min(MOVED_AT_ONCE, end - begin)
            self.out.seek(end - size)
            part = self.out.read(size)
            self.out.seek(end - size + DS64_BYTES)
            self.out.write(part)
            end -= size
        sizes = struct.pack("<QQQI", begin - 8 + DS64_BYTES + data + data % 2, data, self.frames, 0)
        return b"RF64\xff\xff\xff\xffWAVE" + chunk(b"ds64", sizes) + start[12:]
