"""What FFmpeg reads from: a part of a file, or a pipe with what was taken from it already."""

from __future__ import annotations

from typing import Any


class Part:
    """A part of a file, or all of it, as a file of its own, without the name, which would be taken for an address."""

    def __init__(self, file: Any, start: int, size: int) -> None:
        self.file, self.start, self.size, self.at = file, start, size, 0
        self.name = ""

    def read(self, size: int) -> bytes:
        self.file.seek(self.start + self.at)
        data = bytes(self.file.read(max(0, min(size, self.size - self.at))))
        self.at += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = max(0, offset + (0, self.at, self.size)[whence])
        return self.at

    def tell(self) -> int:
        return self.at


class Piped:
    """What comes through a pipe, with what was taken from it already."""

    def __init__(self, source: Any, head: bytes) -> None:
        self.source, self.head, self.name = source, head, ""

    def read(self, size: int) -> bytes:
        if self.head:
            first, self.head = self.head[:size], self.head[size:]
            return first
        return bytes(self.source.read(size))
