"""What the parts that read and write sound agree on: formats, sources, errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from sordino.chain.numerics import Float32


class AudioError(ValueError):
    """Sound cannot be read or written; the message says what was got and what was wanted."""


class TruncatedError(AudioError):
    """A source ends too early or has a damaged part: the rest of it has been cleaned and written."""


@dataclass(frozen=True)
class Format:
    """What a source is, and what its result is to be.

    rate      samples per second
    channels  1 or more
    subtype   PCM_16, PCM_24, PCM_32, FLOAT or DOUBLE: the samples of the result, the source's where it is lossless
    mask      which loudspeakers the channels are for, as in WAVE_FORMAT_EXTENSIBLE; None: the source does not say
    tags      title, artist and so on, by names in small letters
    chunks    of a WAV file that go into the result unchanged: broadcast extension, cue points, (id, content)
    """

    rate: int
    channels: int
    subtype: str = "PCM_16"
    mask: int | None = None
    tags: dict[str, str] = field(default_factory=dict)
    chunks: tuple[tuple[bytes, bytes], ...] = ()


class Sound(Protocol):
    """An opened source. faults: what was found missing or damaged, complete when blocks() has ended."""

    format: Format
    faults: list[str]

    def blocks(self) -> Iterator[Float32]:
        """All there is, (channels, n) float32 of full scale 1 at a time. Raises AudioError where nothing is read."""

    def part(self) -> float:
        """How much of the source has been read, 0..1; 0 where that is not known."""

    def close(self) -> None:
        """Let go of the source."""
