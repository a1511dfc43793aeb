"""Stage delay: by how many hops the far end's echo comes later in the microphone.

Whitened spectra of the far end, up to DELAYS hops old, are multiplied with that of the microphone and averaged; where
the products keep their phase, the microphone holds the echo. It needs no filter, so near speech cannot mislead it for
long and a jump of the delay is found within a second or two of speech.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import stft
from .fft import Split
from .numerics import Float32, lane_sum
from .params import (
    DELAY_ACTIVE,
    DELAY_BETTER,
    DELAY_BINS,
    DELAY_CLEAR,
    DELAY_FADE,
    DELAY_FIRST_BIN,
    DELAY_HOPS,
    DELAY_LEAST,
    DELAY_MEMORY,
    DELAYS,
    ECHO_FLOOR,
    HOP,
    WINDOW,
)

UNKNOWN = -1
"""The delay before any was found."""


def _zeros(*shape: int) -> Float32:
    return np.zeros(shape, np.float32)


def _pair() -> Split:
    return _zeros(DELAYS, DELAY_BINS), _zeros(DELAYS, DELAY_BINS)


@dataclass
class DelayState:
    """What is remembered from hop to hop.

    near, far  (WINDOW,) newest samples
    played     whitened spectra of the far end, (DELAYS, DELAY_BINS) each, the newest first
    cross      means of their products with the microphone's, (DELAYS, DELAY_BINS) each
    loudest    power of the far end's loudest frame, fading
    silent     hops since it sounded, up to DELAYS
    delay      hops, or UNKNOWN
    candidate  delay that scored better
    hops       in which it did
    """

    near: Float32 = field(default_factory=lambda: _zeros(WINDOW))
    far: Float32 = field(default_factory=lambda: _zeros(WINDOW))
    played: Split = field(default_factory=_pair)
    cross: Split = field(default_factory=_pair)
    loudest: np.float32 = field(default_factory=np.float32)
    silent: int = DELAYS
    delay: int = UNKNOWN
    candidate: int = UNKNOWN
    hops: int = 0


def whitened(samples: Float32) -> tuple[Float32, Float32, np.float32]:
    """Phases of a frame.

    samples  (WINDOW,) float32
    returns  (re, im), (DELAY_BINS,) each, of length 1 or 0, and the power of these bins
    """
    some = slice(DELAY_FIRST_BIN, DELAY_FIRST_BIN + DELAY_BINS)
    re, im = (part[some] for part in stft.analyse(samples))
    power = re * re + im * im
    factor = np.reciprocal(np.sqrt(power + np.float32(ECHO_FLOOR)))
    return re * factor, im * factor, np.float32(lane_sum(power))


def compare(state: DelayState, near: Float32, far: Float32) -> Float32:
    """Hear one hop of both; return the score of every delay.

    near, far  (HOP,) float32
    returns    (DELAYS,) 0..1
    """
    state.near = np.concatenate([state.near[HOP:], near])
    state.far = np.concatenate([state.far[HOP:], far])
    far_re, far_im, power = whitened(state.far)
    near_re, near_im, _ = whitened(state.near)
    state.loudest = np.maximum(power, state.loudest * np.float32(DELAY_FADE))
    sounds = power > state.loudest * np.float32(DELAY_ACTIVE)
    state.silent = 0 if sounds else min(state.silent + 1, DELAYS)
    newest = (far_re, far_im) if sounds else (_zeros(DELAY_BINS), _zeros(DELAY_BINS))
    x_re, x_im = (np.concatenate([new[None], old[:-1]]) for new, old in zip(newest, state.played, strict=True))
    state.played = x_re, x_im
    if state.silent == DELAYS:  # nothing new can be learnt, and what is known shall not fade
        return _scores(state.cross)
    kept, added = np.float32(DELAY_MEMORY), np.float32(1) - np.float32(DELAY_MEMORY)
    c_re, c_im = state.cross
    c_re = kept * c_re + added * (near_re * x_re + near_im * x_im)
    c_im = kept * c_im + added * (near_im * x_re - near_re * x_im)
    state.cross = c_re, c_im
    return _scores(state.cross)


def _scores(cross: Split) -> Float32:
    return lane_sum(cross[0] * cross[0] + cross[1] * cross[1]) * np.float32(1 / DELAY_BINS)


def choose(state: DelayState, score: Float32) -> None:
    """Believe the delay that scores best, at once where none is known, else after DELAY_HOPS."""
    best = int(score.argmax())
    if state.delay == UNKNOWN:
        mean = lane_sum(score) * np.float32(1 / DELAYS)
        if score[best] > np.maximum(np.float32(DELAY_CLEAR) * mean, np.float32(DELAY_LEAST)):
            state.delay = best
        return
    if abs(best - state.delay) <= 1 or score[best] <= np.float32(DELAY_BETTER) * score[state.delay]:
        state.hops = max(0, state.hops - 1)
        return
    state.hops = state.hops + 1 if best == state.candidate else 1
    state.candidate = best
    if state.hops >= DELAY_HOPS:
        state.delay, state.hops = best, 0


def find_delay(state: DelayState, near: Float32, far: Float32) -> int:
    """Hear one hop of both and tell the delay.

    near, far  (HOP,) float32, full scale 1
    returns    hops by which the echo is late, 0 to DELAYS - 1, or UNKNOWN
    source     phase transform: Knapp and Carter 1976, doi:10.1109/TASSP.1976.1162830; C twin: sordino_find_delay
    """
    choose(state, compare(state, near, far))
    return state.delay
