"""Coded sound through FFmpeg's libraries (PyAV): every packet of the file, whatever its header estimates."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from sordino.chain.numerics import Float32

from .coded_format import format_of
from .coded_parts import Part, Piped
from .container_structure import chain_links, missing_end, mp3_samples, packet_bytes, second_file
from .pcm import file_size
from .pcm_format import Reader
from .sound import AudioError

if TYPE_CHECKING:
    import av.audio.frame

CONTAINERS = (
    "3gp,aac,ac3,ac4,act,adx,aiff,amr,amrnb,amrwb,ape,asf,au,avi,avr,caf,dsf,dts,dtshd,eac3,flac,flv,g722,gsm,iff,"
    "ircam,latm,loas,matroska,mlp,mov,mp2,mp3,mp4,mpc,mpc8,mpeg,mpegts,mxf,nistsphere,nut,ogg,oma,ogv,opus,qcp,rm,shn,"
    "sox,spx,svx,tak,truehd,tta,voc,w64,wav,webm,wsd,wtv,wv,xwma"
)
"""Those that hold their sound themselves: play lists and scripts, which name other files and addresses, are none."""
TIMED = ("matroska", "mov", "mpegts", "asf", "avi", "flv", "flac", "nut", "mxf")
"""Containers whose time stamps tell of holes."""
MOST_PLANES = 8
"""From so many channels on PyAV reads beyond the list of the planes of a frame."""
HOLE_S = 0.1
LONGEST_HOLE_S = 3600.0
FULL_SCALES = {"u8": 128.0, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63, "flt": 1.0, "dbl": 1.0}


class CodedSound:
    """A file with one stream of sound that FFmpeg decodes.

    file    opened, at its beginning where it can seek
    suffix  of its name, a hint
    head    taken from it already, where it cannot seek
    raises  AudioError for what is no sound
    """

    def __init__(
        self, file: Reader, suffix: str, close: Callable[[], object], head: bytes = b"", can_seek: bool = True
    ) -> None:
        self.file, self._close, self.can_seek = file, close, can_seek
        self.size = file_size(file) if can_seek else 0
        self.faults: list[str] = []
        self.hint = suffix if suffix.isascii() and suffix[1:].isalnum() else ""
        links = chain_links(file, self.size) if can_seek else []  # type: ignore[arg-type]
        if len(links) > 1:
            self._open(Part(file, *links[0]))
        else:
            self._open(Piped(file, head) if not can_seek else Part(file, 0, self.size))
        try:
            self._describe()
        except BaseException:
            self.container.close()
            raise
        self.frames: Iterator[Any] = chain(self.first, self._further(links[1:]))

    def _open(self, part: Any) -> None:
        """Open the file, or a link of a chain of them. raises AudioError"""
        try:
            import av
        except ImportError as error:
            raise AudioError("is coded sound, which needs the package `av`; it is not installed") from error

        part.name = f"source{self.hint}"
        options = {"format_whitelist": CONTAINERS}
        try:
            self.container = av.open(part, mode="r", container_options=options, metadata_errors="replace")
        except (av.FFmpegError, ValueError, UnicodeError) as error:
            raise AudioError(self._why_not(getattr(error, "strerror", error))) from error
        try:
            self._choose()
        except BaseException:
            self.container.close()
            raise

    def _why_not(self, reason: object) -> str:
        """What to say of a file that cannot be opened: an MP4 file may lack the index at its end."""
        if self.can_seek and self.size > 8:
            self.file.seek(4)  # type: ignore[attr-defined]
            if self.file.read(4) == b"ftyp" and missing_end(self.file, self.size, "mov"):  # type: ignore[arg-type]
                return "is truncated before its index, without which nothing in it can be decoded"
        return f"is no sound file that can be read ({reason})"

    def _further(self, links: list[tuple[int, int]]) -> Iterator[Any]:
        """The frames of the other links of a chain, each a file of its own behind the one before."""
        for start, size in links:
            self.container.close()
            try:
                self._open(Part(self.file, start, size))
            except AudioError as error:
                self.faults.append(f"has a part from byte {start} on that {error}")
                continue
            yield from self._decode()

    def _choose(self) -> None:
        from av.stream import Discard

        streams = self.container.streams.audio
        if not streams:
            raise AudioError("is no sound file: it holds pictures or text and no sound")
        self.stream = self.container.streams.best("audio") or streams[0]
        for other in self.container.streams:
            if other is not self.stream:
                with contextlib.suppress(AttributeError, ValueError):
                    other.discard = Discard.all
        codec: Any = self.stream.codec_context
        if codec is None or not codec.sample_rate or not codec.layout.nb_channels:
            raise AudioError("is no sound file that can be read (its sound has no decoder here, or no format)")
        self.name = self.container.format.name
        if codec.name == "flac":  # a damaged frame is loud noise, unless its sum is looked at
            codec.options = {"err_detect": "crccheck+explode"}

    def _describe(self) -> None:
        self.first, self.rate, self.layout = self._first_frames()
        tags = {**self.container.metadata, **self.stream.metadata}
        self.format = format_of(self.stream.codec_context, tags, self.rate, self.layout)

    def _first_frames(self) -> tuple[Iterator[av.audio.frame.AudioFrame], int, Any]:
        """All frames, and what the first one says: a decoder knows better than a header."""
        frames = self._decode()
        first = next(frames, None)
        if first is None:
            reason = self.faults[0] if self.faults else "no packet holds any"
            raise AudioError(f"holds no samples that can be read ({reason})")
        return chain([first], frames), first.sample_rate, first.layout

    def _decode(self) -> Iterator[Any]:
        import av

        damaged = packets = 0
        whole, wanted = True, None
        demux = self.container.demux(self.stream)
        while True:
            try:
                packet = next(demux)
            except StopIteration:
                break
            except (av.FFmpegError, OSError) as error:
                reason = getattr(error, "strerror", error)
                self.faults.append(f"is truncated or damaged after {packets} packets ({reason})")
                break
            if packet.size:
                packets += 1
                wanted = packet_bytes(self.stream.codec_context.name, bytes(packet)[:16])
                # In WAV the last read of coded sound ends where the file does, which FFmpeg takes for a fault.
                corrupt = packet.is_corrupt and self.name != "wav"
                whole = (wanted is None or packet.size >= wanted) and not corrupt
            try:
                yield from packet.decode()
            except av.FFmpegError:
                # What does not even begin as sound is a tag, or what fills up the last block of a WAV file.
                junk = self.name == "wav" or (self.name in ("mp3", "aac") and bytes(packet)[:1] != b"\xff")
                damaged, whole = damaged + (not junk), junk
        if damaged == 0 and whole:
            return
        if damaged > (not whole):
            self.faults.append(f"is damaged: {damaged} of {packets} packets cannot be decoded")
        else:
            self.faults.append("is truncated: its last packet is not whole")

    def blocks(self) -> Iterator[Float32]:
        """Raises AudioError where the sound changes into what cannot be joined to it."""
        given, base = 0, None
        timed = self.name.startswith(TIMED)
        for frame in self._alike():
            block = _to_float(frame)
            if timed and frame.pts is not None and frame.time_base is not None:
                at = round(float(frame.pts * frame.time_base) * self.rate)
                base = self._begin(at) if base is None else base
                hole = at - base - given
                if hole < -HOLE_S * self.rate:
                    base += hole  # the clock was set back
                elif HOLE_S * self.rate < hole <= LONGEST_HOLE_S * self.rate:
                    given += hole
                    yield from self._silence(hole)
            given += block.shape[1]
            yield block
        self._judge(given)

    def _begin(self, first: int) -> int:
        """The time stamp, in samples, at which the result begins: that of the picture where it comes first."""
        start = self.container.start_time
        return first if start is None else min(first, round(start * self.rate / 1_000_000))

    def _silence(self, frames: int) -> Iterator[Float32]:
        for done in range(0, frames, self.rate):
            yield np.zeros((self.format.channels, min(self.rate, frames - done)), np.float32)

    def _alike(self) -> Iterator[av.audio.frame.AudioFrame]:
        """Frames of one rate and one number of channels: later ones that differ are converted (joined files)."""
        import av

        converter, source, shape = None, None, (self.rate, self.layout.name)
        packed = "flt" if self.layout.nb_channels >= MOST_PLANES else "fltp"
        for frame in self.frames:
            now = (frame.sample_rate, frame.layout.name, frame.format.name)
            if converter and now != source:
                yield from converter.resample(None)
                converter = None
            unreadable = frame.format.is_planar and frame.layout.nb_channels >= MOST_PLANES
            if converter is None and (now[:2] != shape or unreadable):
                converter, source = av.AudioResampler(packed, self.layout, self.rate), now
            if converter:
                frame.pts = None
                yield from converter.resample(frame)
            else:
                yield frame
        if converter:
            yield from converter.resample(None)

    def _judge(self, given: int) -> None:
        """Note what is missing at the end, unless something is noted already."""
        if self.faults or not self.can_seek:
            return
        missing = missing_end(self.file, self.size, self.name)  # type: ignore[arg-type]
        if missing:
            self.faults.append(f"is truncated: {missing}")
            return
        if self.name.startswith("mov") and (start := second_file(self.file, self.size)):  # type: ignore[arg-type]
            self.faults.append(f"is followed by another file, from byte {start} on, which is left out")
            return
        announced = self._announced()
        slack = 1 if self.name == "flac" else 2 * 1152
        if self.name == "flac" and announced and given > announced:
            self.faults.append(f"is damaged: it holds {given} samples and announces {announced}")
        elif announced is not None and given + slack <= announced:
            self.faults.append(f"is truncated: {given} of the {announced} samples that it announces are there")

    def _announced(self) -> int | None:
        """Samples that the header promises, where that is no guess."""
        if self.name == "mp3":  # FFmpeg guesses where more or less follows than the count says
            return mp3_samples(self.file)  # type: ignore[arg-type]
        exact = self.name in ("flac", "wv", "tta", "ape", "tak", "aiff", "voc", "avi")
        duration, base = self.stream.duration, self.stream.time_base
        return round(float(duration * base) * self.rate) if exact and duration and base else None

    def part(self) -> float:
        if not self.can_seek or not self.size:
            return 0.0
        return min(1.0, float(self.file.tell()) / self.size)  # type: ignore[attr-defined]

    def close(self) -> None:
        self.container.close()
        self._close()


def _to_float(frame: av.audio.frame.AudioFrame) -> Float32:
    """(channels, n) float32 of full scale 1."""
    name = frame.format.name
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    kind = name.removesuffix("p")
    if kind in ("flt", "dbl"):
        with np.errstate(over="ignore", invalid="ignore"):
            return np.ascontiguousarray(values, np.float32)
    centre = np.float32(128 if kind == "u8" else 0)
    return np.ascontiguousarray((values.astype(np.float32) - centre) * np.float32(1 / FULL_SCALES[kind]))
