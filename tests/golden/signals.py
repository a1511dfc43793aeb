"""The golden signals: mono float32 at 48 kHz, from seeded generators and the page's recordings.

Tones are rounded to the grid of 24-bit audio, so that the last bit of a machine's sine does not show.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 48000
CLIP_NAMES = ("dog", "keyboard", "rain")
"""The scenes of the page that are golden signals."""
CLIPS = Path(__file__).resolve().parents[2] / "web" / "demo" / "clips"
GRID = 2.0**23

Samples = NDArray[np.float32]


def golden_signals() -> dict[str, Samples]:
    """Every golden signal by name, more than 30 s in all; the same bytes on each call and machine."""
    return {**recordings(), **{make.__name__: make() for make in GENERATORS}}


def recordings() -> dict[str, Samples]:
    """Real speech in real noise: the first 8 s of some of the page's scenes."""
    return {file.stem: read_clip(file)[: 8 * RATE] for file in clip_files()}


def clip_files() -> list[Path]:
    return [CLIPS / f"{name}.ogg" for name in CLIP_NAMES]


def read_clip(file: Path) -> Samples:
    """A clip, rounded to 16 bits so that the last bit of a machine's decoder does not show."""
    samples, rate = soundfile.read(file, dtype="float32")
    if rate != RATE or samples.ndim != 1:
        raise ValueError(f"{file}: wanted 48 kHz mono, got {rate} Hz, shape {samples.shape}")
    return (np.round(samples * 2.0**15) / 2.0**15).astype(np.float32)


def on_grid(samples: NDArray[np.float64]) -> Samples:
    return (np.round(samples * GRID) / GRID).astype(np.float32)


def seconds(duration_s: float) -> NDArray[np.float64]:
    return np.arange(round(duration_s * RATE)) / RATE


def silence() -> Samples:
    return np.zeros(RATE, np.float32)


def clipping() -> Samples:
    """A loud tone and noise cut off at full scale, so that most samples are exactly +-1."""
    t = seconds(2)
    noise = np.random.default_rng(1).normal(0, 1, t.size)
    return on_grid(np.clip(4 * np.sin(2 * np.pi * 233.3 * t) + noise, -1, 1))


def impulses() -> Samples:
    """Single samples of both signs, at, before and after hop borders, from full scale to the last bit of 16."""
    samples = np.zeros(2 * RATE, np.float32)
    borders = 480 * np.arange(4, 196, 12)
    samples[borders + np.arange(borders.size) % 3 - 1] = [(-1.0) ** k * 2.0**-k for k in range(borders.size)]
    return samples


def denormals() -> Samples:
    """Noise around the smallest float32, then a decay into it: no engine may flush it differently."""
    random = np.random.default_rng(2)
    tiny = random.integers(-1000, 1000, RATE).astype(np.float64) * 2.0**-149
    decay = np.sin(2 * np.pi * 440 * seconds(1)) * np.exp(-110 * seconds(1))
    return np.concatenate([tiny, decay]).astype(np.float32)


def direct_current() -> Samples:
    """Half of full scale, stepping to its negative, then a small offset under noise."""
    noise = np.random.default_rng(3).normal(0, 0.01, RATE)
    return np.concatenate([np.full(RATE // 2, 0.5), np.full(RATE // 2, -0.5), 0.1 + noise]).astype(np.float32)


def pitch_glide() -> Samples:
    """Ten harmonics whose fundamental glides from 60 Hz to 500 Hz and back: every lag the search knows."""
    t = seconds(6)
    fundamental_hz = 60 * (500 / 60) ** (0.5 - 0.5 * np.cos(2 * np.pi * t / 6))
    phase = 2 * np.pi * np.cumsum(fundamental_hz) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 11))
    return on_grid(0.2 * voice + np.random.default_rng(4).normal(0, 0.005, t.size))


def seeded_noise() -> Samples:
    """White noise whose level climbs from -90 dB to full scale."""
    t = seconds(4)
    return on_grid(np.clip(np.random.default_rng(5).normal(0, 1, t.size) * 10 ** (4.5 * (t / 4 - 1)), -1, 1))


def levels() -> Samples:
    """Noise that jumps between -130 dB and twice full scale, so that the scale of the input falls and rises."""
    steps_db = np.repeat([-130, -70, -10, -100, -100, 6, -20, -80], RATE // 4)
    return (np.random.default_rng(8).normal(0, 1, steps_db.size) * 10 ** (steps_db / 20)).astype(np.float32)


def bursts() -> Samples:
    """Noise bursts between silences, so that every recursion starts and dies away several times."""
    t = seconds(3)
    return on_grid(np.random.default_rng(6).normal(0, 0.2, t.size) * (t % 0.5 < 0.2))


def not_finite() -> Samples:
    """Noise with NaN, infinities and samples far beyond full scale, which the input stage must tame."""
    samples = on_grid(np.random.default_rng(7).normal(0, 0.1, 2 * RATE))
    samples[10000:10100] = np.nan
    samples[20000:20050] = np.inf
    samples[20050:20100] = -np.inf
    samples[30000:31000] *= 1e30
    samples[40000:40010] = np.finfo(np.float32).max
    return samples


GENERATORS: tuple[Callable[[], Samples], ...] = (
    silence,
    clipping,
    impulses,
    denormals,
    direct_current,
    pitch_glide,
    seeded_noise,
    levels,
    bursts,
    not_finite,
)
