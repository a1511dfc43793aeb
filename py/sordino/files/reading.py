"""Open a source of sound: plain samples by their header, coded sound through FFmpeg, the rest through libsndfile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from sordino.chain.numerics import Float32

from .coded import CodedSound
from .container_structure import packet_bytes
from .pcm import PcmSound, file_size
from .pcm_format import Other
from .pcm_header import read_header
from .sound import AudioError, Format, Sound

HEAD_BYTES = 16
SYNC_BYTES = 2
VOC_HEAD = b"Creative Voice F"
KEPT_SUBTYPES = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")
OLD_FORMATS = (
    *("AVR", "HTK", "IRCAM", "MAT4", "MAT5", "MP3", "MPC2K", "NIST", "PAF"),
    *("PVF", "SD2", "SDS", "SVX", "VOC", "WVE", "XI"),
)
"""What libsndfile reads and FFmpeg may not, such as MP3 of a free bit rate."""
PIPED = (b"fLaC", b"OggS", b"ID3", b"\x1aE\xdf\xa3", b"#!AMR", b"wvpk", b"TTA1", b"MAC ", b"0&\xb2u\x8ef\xcf\x11")
"""How coded sound begins that comes through a pipe instead of raw samples."""


class OldSound:
    """A file of a format that only libsndfile knows."""

    def __init__(self, file: BinaryIO, close: Callable[[], object]) -> None:
        try:
            self.sound = soundfile.SoundFile(file)
        except (soundfile.LibsndfileError, TypeError, OSError) as error:
            raise AudioError("is no sound file that can be read") from error
        if self.sound.format not in OLD_FORMATS:
            self.sound.close()
            raise AudioError("is no sound file that can be read")
        self._close, self.faults, self.done = close, list[str](), 0
        subtype = self.sound.subtype if self.sound.subtype in KEPT_SUBTYPES else "PCM_16"
        self.format = Format(self.sound.samplerate, self.sound.channels, subtype)

    def blocks(self) -> Iterator[Float32]:
        """Until nothing comes; what its header announces is not looked at but for what is missing then."""
        while True:
            try:
                block = self.sound.read(self.format.rate, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                self.faults.append(f"is damaged after {self.done} samples ({error.error_string})")
                return
            if block.shape[0] == 0:
                break
            self.done += block.shape[0]
            yield np.ascontiguousarray(block.T)
        if any("should be" in line for line in self.sound.extra_info.splitlines()):
            self.faults.append("is truncated: its header announces more samples than the file holds")

    def part(self) -> float:
        return min(1.0, self.done / max(1, int(self.sound.frames)))

    def close(self) -> None:
        self.sound.close()
        self._close()


def open_sound(path: Path) -> Sound:
    """Open a sound file, or a video with sound, for reading; pipes and devices are read as they come.

    raises  FileNotFoundError; AudioError for a file that is empty or no sound; its message begins with the path
    """
    if path.is_dir() or not path.exists():
        raise FileNotFoundError(f"no such file: {path}")
    regular = path.is_file()
    if regular and path.stat().st_size == 0:
        raise AudioError(f"{path} is an empty file (0 bytes), wanted a sound file")
    file = path.open("rb")
    try:
        if not regular:
            return _from_pipe(file)
        return _open(file, path.suffix.lower())
    except AudioError as error:
        file.close()
        raise AudioError(f"{path} {error}") from error
    except BaseException:
        file.close()
        raise


def _open(file: BinaryIO, suffix: str) -> Sound:
    """By the first decoder that can; where none can, what the first one for its kind says is raised."""
    head, said = file.read(HEAD_BYTES), list[AudioError]()
    decoders: list[Callable[[], Sound]] = [
        lambda: PcmSound(file, read_header(file, head), file_size(file), file.close),
        lambda: CodedSound(file, suffix, file.close),
        lambda: OldSound(file, file.close),
    ]
    if head == VOC_HEAD:  # FFmpeg gets the length of its blocks wrong
        del decoders[1]
    for decoder in decoders:
        try:
            return decoder()
        except AudioError as error:
            said.append(error)
        except Other:
            pass
        file.seek(0)
    raise said[0]


def _from_pipe(source: BinaryIO) -> Sound:
    sound, head = open_stream(source)
    if sound is None:
        raise AudioError(f"begins with {head[:4]!r}, which is no sound that can be read from a pipe")
    return sound


def open_stream(source: BinaryIO) -> tuple[Sound | None, bytes]:
    """What comes through a pipe, where it begins like a sound file, or None; and what was taken to see that.

    raises  AudioError for a header that ends or makes no sense
    """
    head = b""
    while len(head) < HEAD_BYTES and (part := source.read(HEAD_BYTES - len(head))):
        head += part
    if len(head) < HEAD_BYTES:
        return None, head
    noted = _Noted(source)
    try:
        return PcmSound(source, read_header(noted, head), None, source.close), head
    except Other:
        pass
    head += b"".join(noted.taken)
    head += _next_frame(source, head)
    if head.startswith(PIPED) or head[4:8] == b"ftyp" or noted.taken or _is_framed(head):
        return CodedSound(source, "", source.close, head, can_seek=False), head
    return None, head


def _next_frame(source: BinaryIO, head: bytes) -> bytes:
    """What tells whether a second frame of MP3 or AAC follows where the beginning looks like a first one."""
    size, more = _frame_bytes(head), b""
    wanted = size + SYNC_BYTES - len(head) if size else 0
    while len(more) < wanted and (part := source.read(wanted - len(more))):
        more += part
    return more


def _is_framed(head: bytes) -> bool:
    """Whether two frames of MP3 or AAC stand one behind the other."""
    size = _frame_bytes(head)
    return size > 0 and head[size : size + SYNC_BYTES] == head[:SYNC_BYTES]


def _frame_bytes(head: bytes) -> int:
    """Of a frame of MP3 or AAC; 0: it is none. Layer I, which nobody uses, looks like quiet raw samples."""
    is_layer_1 = head[1] & 6 == 6
    return packet_bytes("aac", head) or (not is_layer_1 and packet_bytes("mp3", head)) or 0


class _Noted:
    """Notes what is taken from a pipe, for another decoder may want it."""

    def __init__(self, source: BinaryIO) -> None:
        self.source, self.taken = source, list[bytes]()

    def read(self, size: int = -1, /) -> bytes:
        data = self.source.read(size)
        self.taken.append(data)
        return data
