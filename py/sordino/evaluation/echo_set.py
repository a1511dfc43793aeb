"""Echo set: a split of the corpus and a seed go in; far ends, and microphones that hear their echo, come out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE
from sordino.data.clips import Clip, Store

from .measures import active_power
from .rooms import draw_room, early_part
from .testset import Material

KINDS = (
    *("far alone", "double talk", "near alone", "path change"),
    *("double talk", "drift", "distorted loudspeaker", "music"),
)
"""Kind of scene i is KINDS[i % 8]."""
SECONDS = 10.0
SAMPLES = int(SECONDS * SAMPLE_RATE)
NEAR_FROM_S = 4.0
"""Until then only the far end is heard, where both are."""
CHANGE_S = 5.0
DELAY_S = (0.01, 0.25)
ECHO_TO_NEAR_DB = (-10.0, 10.0)
LEVEL_DB = (-36.0, -24.0)
NOISE_DB = (-75.0, -50.0)
DRIFT = 200e-6
_LOUDSPEAKER_HZ = (180.0, 9000.0)
_DRIVE = 4.0  # how far a distorting loudspeaker is driven beyond its linear range
_FADE = 480
Signal = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """One scene; all signals (SAMPLES,) float32 at 48 kHz.

    far         what is played
    microphone  its echo, the near voice and a little noise
    near        the near voice with its early room: what is wanted
    echo        the echo alone
    without     the microphone without the echo
    """

    index: int
    kind: str
    delay_s: float
    far: Signal
    microphone: Signal
    near: Signal
    echo: Signal
    without: Signal


def _talk(rng: np.random.Generator, store: Store, clips: list[Clip]) -> Signal:
    """SAMPLES of recordings one after another, pauses between them."""
    parts, length = [], 0
    while length < SAMPLES:
        clip = clips[int(rng.integers(len(clips)))]
        piece = int(min(clip.length, rng.uniform(2, 5) * SAMPLE_RATE))
        start = clip.start + int(rng.integers(0, clip.length - piece + 1))
        part = store.samples[start : start + piece].astype(np.float32) / np.float32(32768)
        edge = np.minimum(np.arange(1, piece + 1), np.arange(piece, 0, -1)) / _FADE
        pause = np.zeros(int(rng.uniform(0.1, 0.5) * SAMPLE_RATE), np.float32)
        parts += [part * np.clip(edge, 0, 1) * 10 ** ((-26 - clip.level_db) / 20), pause]
        length += piece + len(pause)
    return np.concatenate(parts)[:SAMPLES].astype(np.float32)


def _convolve(signal: Signal, response: Signal) -> Signal:
    size = 1 << (len(signal) + len(response)).bit_length()
    product = np.fft.rfft(signal, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(product, size)[: len(signal)], np.float32)


def _loudspeaker(signal: Signal, drive: float) -> Signal:
    """A small loudspeaker: a band of its own and, driven hard, bent at its ends."""
    if drive:
        scale = drive / float(np.abs(signal).max())
        signal = (np.tanh(scale * signal) / scale).astype(np.float32)
    spectrum = np.fft.rfft(signal, 2 * len(signal))
    hz = np.fft.rfftfreq(2 * len(signal), 1 / SAMPLE_RATE)
    low, high = _LOUDSPEAKER_HZ
    curve = 1 / np.sqrt(1 + (low / np.maximum(hz, 1)) ** 4) / np.sqrt(1 + (hz / high) ** 8)
    return np.asarray(np.fft.irfft(spectrum * curve)[: len(signal)], np.float32)


def _late(signal: Signal, seconds: float) -> Signal:
    late = round(seconds * SAMPLE_RATE)
    return np.concatenate([np.zeros(late, np.float32), signal])[: len(signal)]


def _echo(rng: np.random.Generator, kind: str, far: Signal, delay_s: float) -> Signal:
    """What of the far end comes into the microphone."""
    played = _late(_loudspeaker(far, _DRIVE if kind == "distorted loudspeaker" else 0.0), delay_s)
    echo = _convolve(played, draw_room(rng)[0])
    if kind == "path change":
        other, at = _convolve(played, draw_room(rng)[0]), int(CHANGE_S * SAMPLE_RATE)
        share = np.clip((np.arange(SAMPLES) - at) / _FADE, 0, 1).astype(np.float32)
        echo = echo * (1 - share) + other * share
    if kind == "drift":
        time = np.arange(SAMPLES)
        echo = np.interp(time * (1 - DRIFT), time, echo).astype(np.float32)
    return echo


def make_scene(seed: int, index: int, material: Material) -> Scene:
    """Make one scene; the same seed, index and material, the same samples."""
    rng = np.random.default_rng([seed, index])
    kind = KINDS[index % len(KINDS)]
    speakers = sorted({clip.speaker for clip in material.speech.clips})
    near_name, far_name = rng.choice(speakers, 2, replace=False)
    of = {name: [c for c in material.speech.clips if c.speaker == name] for name in (near_name, far_name)}
    if kind == "music":
        far = _talk(rng, material.music, list(material.music.clips))
    else:
        far = _talk(rng, material.speech, of[far_name])
    voice = _talk(rng, material.speech, of[near_name])
    delay_s = float(rng.uniform(*DELAY_S))
    level = 10 ** (rng.uniform(*LEVEL_DB) / 20)
    echo = _echo(rng, kind, far, delay_s)
    echo *= level / np.sqrt(active_power(echo))
    response, _ = draw_room(rng)
    wet, near = _convolve(voice, response), _convolve(voice, early_part(response))
    scale = level * 10 ** (-rng.uniform(*ECHO_TO_NEAR_DB) / 20) / np.sqrt(active_power(wet))
    speaks = kind in ("double talk", "near alone", "distorted loudspeaker", "music")
    start = 0 if kind == "near alone" else int(NEAR_FROM_S * SAMPLE_RATE)
    gate = np.float32(scale) * (np.arange(SAMPLES) >= start) * np.float32(speaks)
    noise = rng.standard_normal(SAMPLES) * 10 ** (rng.uniform(*NOISE_DB) / 20)
    if kind == "near alone":
        far, echo = np.zeros_like(far), np.zeros_like(echo)
    without = (wet * gate + noise).astype(np.float32)
    signals = (far, (without + echo).astype(np.float32), (near * gate).astype(np.float32), echo, without)
    guard = np.float32(min(1.0, 0.9 / max(float(np.abs(signals[1]).max()), 1e-9)))
    return Scene(index, kind, delay_s, far, *(signal * guard for signal in signals[1:]))
