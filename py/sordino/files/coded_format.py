"""What a result gets from coded sound: channels, kind of samples, tags, as FFmpeg's libraries name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .sound import Format

LOSSLESS = ("flac", "alac", "wavpack", "tta", "ape", "tak", "shorten", "mlp", "truehd", "wmalossless", "dsd")
LAYOUT_MASKS = {
    "2.1": 0xB, "3.0": 0x7, "3.0(back)": 0x103, "4.0": 0x107, "quad": 0x33, "quad(side)": 0x603, "3.1": 0xF,
    "5.0": 0x37, "5.0(side)": 0x607, "4.1": 0x10F, "5.1": 0x3F, "5.1(side)": 0x60F, "6.0": 0x707, "6.0(front)": 0x6C3,
    "hexagonal": 0x137, "6.1": 0x70F, "6.1(back)": 0x13F, "6.1(front)": 0x6CB, "7.0": 0x637, "7.0(front)": 0x6C7,
    "7.1": 0x63F, "7.1(wide)": 0xFF, "7.1(wide-side)": 0x6CF, "octagonal": 0x737,
}  # fmt: skip
TECHNICAL = {
    "encoder", "encoded_by", "handler_name", "language", "major_brand", "minor_version", "compatible_brands",
    "duration", "vendor_id", "creation_time", "waveformatextensible_channel_mask", "software", "coding_history",
}  # fmt: skip
"""Tags that speak of the file, not of the recording."""


def format_of(codec: Any, tags: Mapping[str, object], rate: int, layout: Any) -> Format:
    """The format of a result.

    codec   of the stream, as PyAV gives it
    tags    of the file and of the stream
    rate    Hz
    layout  of the channels, as PyAV gives it
    """
    kept = {k.lower(): v for k, v in tags.items() if k.lower() not in TECHNICAL and isinstance(v, str)}
    channels = layout.nb_channels
    mask = LAYOUT_MASKS.get(layout.name) if channels > 2 else None
    return Format(rate, channels, subtype_of(codec), mask, kept)


def subtype_of(codec: Any) -> str:
    """Of the result: the source's own samples where nothing was lost when it was made, else 16 bits."""
    name, kind = codec.name, codec.format.name.removesuffix("p") if codec.format else "s16"
    if not name.startswith(("pcm_", *LOSSLESS)):
        return "PCM_16"
    if kind in ("flt", "dbl"):
        return {"flt": "FLOAT", "dbl": "DOUBLE"}[kind]
    if kind not in ("s32", "s64"):
        return "PCM_16"
    return "PCM_32" if _bits(codec) > 24 else "PCM_24"


def _bits(codec: Any) -> int:
    """Bits per sample of a stream that is decoded to 32."""
    extra = codec.extradata or b""
    if codec.name == "flac" and len(extra) >= 34:
        return ((extra[12] & 1) << 4 | extra[13] >> 4) + 1
    if codec.name == "alac" and len(extra) >= 18:
        return extra[17]
    return 32 if codec.name in ("pcm_s32le", "pcm_s32be", "pcm_s64le", "pcm_s64be") else 24
