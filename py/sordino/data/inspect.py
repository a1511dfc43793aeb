"""Inspect: one recording goes in, what can be measured comes out, or what is wrong with it."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE

from .clips import active_level_db
from .decode import decode
from .manifest import CorpusError

SHORTEST_S = 0.1
SILENT_DB = -60.0  # a recording whose largest sample stays below is silent
CLIPPED_SHARE = 1e-3
BANDWIDTH_DB = -70.0  # the spectrum ends where it falls this far below its peak for good
STEADY_DB = 4.0  # speech moves by more than this between its quiet and its loud moments
LONGEST_RESPONSE_S = 12.0
_HOP = 480
_SIZE = 2048


@dataclass(frozen=True)
class Facts:
    """What was measured. All levels in dB re full scale."""

    seconds: float
    original_rate_hz: int
    bandwidth_hz: int
    snr_db: float  # active level over the quietest tenth; speech only, else nan
    level_db: float  # of the active frames
    digest: str  # the same sound, the same digest


class Unfit(Exception):
    """A recording cannot be used; the message says why."""


def bandwidth_hz(samples: NDArray[np.int16]) -> int:
    """Frequency above which a recording holds nothing, by the mean spectrum of its louder frames."""
    count = max(len(samples) // _SIZE, 1)
    frames = np.resize(samples, (count, _SIZE)).astype(np.float32) / 32768
    power = (frames**2).mean(1)
    loud = frames[power >= np.percentile(power, 50)]
    spectrum = (np.abs(np.fft.rfft(loud * np.hanning(_SIZE))) ** 2).mean(0)
    smooth = np.convolve(spectrum, np.ones(9) / 9, "same")
    heard = np.flatnonzero(smooth > smooth.max() * 10 ** (BANDWIDTH_DB / 10))
    return round(int(heard[-1] + 1) * SAMPLE_RATE / _SIZE) if len(heard) else 0


def hop_levels_db(samples: NDArray[np.int16]) -> NDArray[np.float64]:
    """Level of every 10 ms, digital silence at -100 dB."""
    hops = len(samples) // _HOP
    power = (samples[: hops * _HOP].reshape(hops, _HOP).astype(np.float64) ** 2).mean(1) / 32768**2
    return np.asarray(10 * np.log10(power + 1e-10), np.float64)


def snr_db(samples: NDArray[np.int16]) -> float:
    """Active level over the level of the quietest tenth of a recording."""
    levels = hop_levels_db(samples)
    return float(active_level_db(samples) - np.percentile(levels, 10)) if len(levels) else float("nan")


def original_rate_hz(path: Path) -> int:
    """Sample rate as stored; 0 where it cannot be told."""
    import soundfile

    try:
        return int(soundfile.info(path).samplerate)
    except (soundfile.LibsndfileError, RuntimeError):
        words = ["ffprobe", "-v", "error", "-show_entries", "stream=sample_rate", "-of", "csv=p=0", str(path)]
        try:
            return int(subprocess.run(words, capture_output=True, text=True, check=False).stdout.split()[0])
        except (OSError, IndexError, ValueError):
            return 0


def inspect(path: Path, kind: str, check_voices: bool = False) -> Facts:
    """Decode and measure one recording.

    path          a sound file
    kind          what it is said to be
    check_voices  also listen for speech in noise; takes a twentieth of its duration
    raises        Unfit if it is missing, empty, corrupt, silent or something else than it is said to be
    """
    if not path.is_file():
        raise Unfit("missing")
    if path.stat().st_size == 0:
        raise Unfit("empty: 0 bytes")
    try:
        samples = decode(path, first_channel=kind == "rir")
    except CorpusError as error:
        raise Unfit(f"corrupt: {str(error).removeprefix(f'{path}: ')[:200]}") from error
    seconds = len(samples) / SAMPLE_RATE
    if seconds < SHORTEST_S:
        raise Unfit(f"empty: {seconds:.3f} s, wanted {SHORTEST_S} s or more")
    peak = int(np.abs(samples.astype(np.int32)).max())
    if peak <= 32768 * 10 ** (SILENT_DB / 20):
        raise Unfit(f"silent: its largest sample is {peak} of 32768")
    _doubt_kind(samples, seconds, kind, peak)
    if check_voices and kind == "noise":
        _doubt_noise(samples)
    rate_hz = original_rate_hz(path)
    return Facts(
        round(seconds, 3),
        rate_hz,
        min(bandwidth_hz(samples), (rate_hz or SAMPLE_RATE) // 2),  # above half its rate are images of the decoder
        round(snr_db(samples), 1) if kind == "speech" else float("nan"),
        round(active_level_db(samples), 1),
        hashlib.sha256(samples.tobytes()).hexdigest()[:16],
    )


def _doubt_kind(samples: NDArray[np.int16], seconds: float, kind: str, peak: int) -> None:
    """Raise Unfit for a sound that cannot be what it is said to be."""
    if kind == "speech":
        clipped = float((np.abs(samples.astype(np.int32)) >= peak).mean())
        if peak >= 32000 and clipped > CLIPPED_SHARE:
            raise Unfit(f"clipped: {100 * clipped:.1f} % of its samples are at the limit")
        levels = hop_levels_db(samples)
        low, high = np.percentile(levels, [10, 90])
        if seconds >= 1 and high - low < STEADY_DB:
            raise Unfit(f"mislabelled? steady sound, its level moves by {high - low:.1f} dB: no speech")
    if kind == "rir":
        if seconds > LONGEST_RESPONSE_S:
            raise Unfit(f"mislabelled? {seconds:.0f} s long, no impulse response")
        power = samples.astype(np.float64) ** 2
        at = int(power.argmax())
        if power[at : at + SAMPLE_RATE // 2].sum() < 0.5 * power.sum():
            raise Unfit("mislabelled? its energy does not follow a peak: no impulse response")


def _doubt_noise(samples: NDArray[np.int16]) -> None:
    """Raise Unfit for noise in which our model hears speech: it would teach the removal of voices."""
    from .voices import LIMIT, voice_share

    share = voice_share(samples)
    if share > LIMIT:
        raise Unfit(f"mislabelled? speech in {100 * share:.0f} % of it: no noise")
