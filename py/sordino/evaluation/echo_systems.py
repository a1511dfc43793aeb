"""Echo systems: what takes the echo of a far end out of a microphone, ours and others', behind one call."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import HOP, SAMPLE_RATE
from sordino.run.api import denoise

from .systems import Package

Signal = NDArray[np.float32]
Run = Callable[[Signal, Signal], Signal]
"""Microphone and far end, (n,) float32 at 48 kHz each, to what is left, aligned with the microphone."""
_RATE = 16_000  # of SpeexDSP's canceller
_FRAME = 160
_TAIL_S = 0.256


@dataclass(frozen=True)
class EchoSystem:
    """A system by name; its package is installed where it needs one. start gives a fresh one."""

    name: str
    start: Callable[[], Run]
    package: Package | None = None


def _ours(**options: Any) -> Run:
    hears = options.pop("far", True)
    return lambda mic, far: denoise(mic, SAMPLE_RATE, far=far if hears else None, **options)


def _int16(samples: Signal) -> NDArray[np.int16]:
    return np.clip(np.round(samples * 32767), -32768, 32767).astype(np.int16)


def _aec3() -> Run:
    """WebRTC's AEC3 with its noise suppression, at 48 kHz; it is not told the delay."""
    processor = importlib.import_module("aec_audio_processing").AudioProcessor(
        enable_aec=True, enable_ns=True, ns_level=1, enable_agc=False, enable_vad=False
    )
    processor.set_stream_format(SAMPLE_RATE, 1, SAMPLE_RATE, 1)
    processor.set_reverse_stream_format(SAMPLE_RATE, 1)

    def run(mic: Signal, far: Signal) -> Signal:
        out = []
        for at in range(0, len(mic) // HOP * HOP, HOP):
            processor.process_reverse_stream(_int16(far[at : at + HOP]).tobytes())
            out.append(np.frombuffer(processor.process_stream(_int16(mic[at : at + HOP]).tobytes()), np.int16))
        return np.concatenate(out).astype(np.float32) / np.float32(32768)

    return run


def _speex() -> Run:
    """SpeexDSP's canceller with its residual suppression, at 16 kHz, a filter of a quarter of a second."""
    import soxr

    canceller = importlib.import_module("pyaec").Aec(_FRAME, int(_TAIL_S * _RATE), _RATE, True)

    def run(mic: Signal, far: Signal) -> Signal:
        low = [_int16(soxr.resample(x, SAMPLE_RATE, _RATE)) for x in (mic, far)]
        out = []
        for at in range(0, len(low[0]) // _FRAME * _FRAME, _FRAME):
            near, played = (x[at : at + _FRAME].tolist() for x in low)
            out += canceller.cancel_echo(near, played)
        return np.asarray(soxr.resample(np.array(out, np.float32) / 32768, _RATE, SAMPLE_RATE), np.float32)

    return run


SYSTEMS = (
    EchoSystem("microphone", lambda: lambda mic, far: mic),
    EchoSystem("sordino", _ours),
    EchoSystem("sordino, filter alone", lambda: _ours(attenuation_limit_db=0.0)),
    EchoSystem("sordino, no far end", lambda: _ours(far=False)),
    EchoSystem("webrtc-aec3", _aec3, Package("pypi", "aec-audio-processing", "1.0.1", from_source=True)),
    EchoSystem("speexdsp", _speex, Package("pypi", "pyaec", "1.0.1")),
)
"""The microphone as it is first."""


def add_path(folder: Path) -> None:
    """Find packages in a folder too."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
