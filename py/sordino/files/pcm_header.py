"""Headers of files with plain samples: WAV (RIFF, RIFX, RF64, BW64, Wave64), AIFF, AU and CAF, also from a pipe."""

from __future__ import annotations

from .aiff_header import aiff, au, caf
from .pcm_format import Header, Other, Reader, Taker
from .riff_header import W64_RIFF, riff, wave64


def read_header(source: Reader, head: bytes) -> Header:
    """The header of a file that begins with `head` (16 bytes, taken already); the source then stands at the samples.

    raises  Other for what has another decoder; AudioError for a header that ends or makes no sense
    """
    take = Taker(source)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return riff(take, head)
    if head == W64_RIFF:
        return wave64(take)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return aiff(take, head)
    if head[:4] in (b".snd", b"dns."):
        return au(take, head)
    if head[:4] == b"caff":
        return caf(take, head)
    raise Other
