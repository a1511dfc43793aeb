"""Stage echo: take out of the microphone what an adaptive filter makes of the far end.

A filter of ECHO_PARTS partitions of a hop each, in the frequency domain, is followed by a Kalman filter per bin: how
far a coefficient moves depends on how little is known about it and on how loud all that is no echo is. So it stands
still while the near voice speaks, without a detector, and runs while it is new. What it cannot take out (distortion,
long rooms, all above 8 kHz) is left to the network.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import delay
from .delay import UNKNOWN, DelayState
from .fft import HALF, Split, inverse_real_transform, real_transform
from .guard import guard
from .numerics import Float32, lane_sum, ordered_sum
from .params import (
    BINS,
    DELAYS,
    ECHO_AHEAD,
    ECHO_BINS,
    ECHO_CERTAIN,
    ECHO_DOUBT,
    ECHO_FLOOR,
    ECHO_LATE,
    ECHO_LOST,
    ECHO_LOST_HOPS,
    ECHO_MEMORY,
    ECHO_NEAR_MEMORY,
    ECHO_PARTS,
    ECHO_PASSES,
    ECHO_POWER_MEMORY,
    ECHO_RETURN,
    ECHO_WORSE,
    HOP,
    WINDOW,
)

NEAR, LEFT, FAR = range(3)
"""Whose powers are followed: the microphone's, what is left of it, the far end's."""


def _zeros(*shape: int) -> Float32:
    return np.zeros(shape, np.float32)


def _pair(rows: int) -> Split:
    return _zeros(rows, ECHO_BINS), _zeros(rows, ECHO_BINS)


@dataclass
class EchoState:
    """What is remembered from hop to hop.

    late      what finds the delay
    far       (WINDOW,) newest samples of the far end
    played    their spectra, (DELAYS + ECHO_PARTS, ECHO_BINS) each, the newest first
    start     of the filter, hops after the far end, or UNKNOWN
    path      the filter, (ECHO_PARTS, ECHO_BINS) each
    doubt     variance of each of its coefficients, (ECHO_PARTS, ECHO_BINS)
    near      power of all that is no echo, (ECHO_BINS,)
    turn      partition whose end is cut next
    powers    of NEAR, LEFT and FAR, fading
    kept      share of the estimate that is taken out, 0..1
    lost      hops in which the output was much louder than the input
    """

    late: DelayState = field(default_factory=DelayState)
    far: Float32 = field(default_factory=lambda: _zeros(WINDOW))
    played: Split = field(default_factory=lambda: _pair(DELAYS + ECHO_PARTS))
    start: int = UNKNOWN
    path: Split = field(default_factory=lambda: _pair(ECHO_PARTS))
    doubt: Float32 = field(default_factory=lambda: _zeros(ECHO_PARTS, ECHO_BINS))
    near: Float32 = field(default_factory=lambda: _zeros(ECHO_BINS))
    turn: int = 0
    powers: Float32 = field(default_factory=lambda: _zeros(3))
    kept: np.float32 = field(default_factory=lambda: np.float32(1))
    lost: int = 0


def begin_anew(state: EchoState) -> None:
    """Forget the path. How much is doubted goes by how loud the microphone is beside the far end."""
    near, far = state.powers[NEAR], state.powers[FAR]
    doubt = np.float32(ECHO_DOUBT) * np.minimum(np.float32(1), near / (far + np.float32(ECHO_FLOOR)))
    state.path = _pair(ECHO_PARTS)
    state.doubt = np.full((ECHO_PARTS, ECHO_BINS), doubt, np.float32)
    state.lost = 0


def move(state: EchoState, start: int) -> None:
    """Begin the filter elsewhere: what lies in both places is kept."""
    by, state.start = start - state.start, start
    path, doubt = state.path, state.doubt
    begin_anew(state)
    if abs(by) >= ECHO_PARTS:
        return
    old = slice(max(by, 0), ECHO_PARTS + min(by, 0))
    new = slice(max(-by, 0), ECHO_PARTS + min(-by, 0))
    for to, values in zip((*state.path, state.doubt), (*path, doubt), strict=True):
        to[new] = values[old]


def place(state: EchoState, found: int) -> None:
    """Begin the filter where the first delay lies; move it where the echo is no longer near its beginning."""
    wanted = max(found - ECHO_AHEAD, 0)
    if state.start == UNKNOWN:
        state.start = wanted
        begin_anew(state)
    elif found < state.start or found > state.start + ECHO_LATE:
        move(state, wanted)


def spectrum_of(samples: Float32) -> Split:
    """Lowest bins of (WINDOW,) samples: (re, im), (ECHO_BINS,) each, unscaled."""
    re, im = real_transform(samples)
    return re[:ECHO_BINS], im[:ECHO_BINS]


def samples_of(re: Float32, im: Float32) -> Float32:
    """(WINDOW,) samples of a spectrum that has nothing above its (ECHO_BINS,)."""
    whole = _zeros(BINS), _zeros(BINS)
    whole[0][:ECHO_BINS], whole[1][:ECHO_BINS] = re, im
    return inverse_real_transform(*whole) * np.float32(1 / HALF)


def estimate(path: Split, played: Split) -> Float32:
    """The echo in the newest hop, (HOP,): the far end's partitions through the path's."""
    (w_re, w_im), (x_re, x_im) = path, played
    re = ordered_sum(w_re * x_re - w_im * x_im, 0)
    im = ordered_sum(w_re * x_im + w_im * x_re, 0)
    return samples_of(re, im)[HOP:]


def cut(state: EchoState, part: int) -> None:
    """Keep only the first half of a partition's impulse response, which is all that a partition may have."""
    samples = samples_of(state.path[0][part], state.path[1][part])
    samples[HOP:] = 0
    state.path[0][part], state.path[1][part] = spectrum_of(samples)


def learn(state: EchoState, played: Split, power: Float32, left: Float32) -> None:
    """Move the path towards what would have left less.

    played  (ECHO_PARTS, ECHO_BINS) each, spectra of the far end
    power   theirs
    left    (HOP,) what the path as it is leaves of the microphone
    """
    e_re, e_im = spectrum_of(np.concatenate([_zeros(HOP), left]))
    known, one, half = np.float32(ECHO_NEAR_MEMORY), np.float32(1), np.float32(0.5)
    now: Float32 = e_re * e_re + e_im * e_im + np.float32(ECHO_FLOOR)
    state.near = known * state.near + (one - known) * now
    expected = ordered_sum(power * state.doubt, 0) * half
    step = state.doubt / (expected + state.near)
    x_re, x_im = played
    w_re = state.path[0] + step * (x_re * e_re + x_im * e_im)
    w_im = state.path[1] + step * (x_re * e_im - x_im * e_re)
    size = w_re * w_re + w_im * w_im
    stays = np.float32(ECHO_MEMORY)
    doubt = stays * ((np.float32(1) - half * (step * power)) * state.doubt) + (np.float32(1) - stays) * size
    state.path, state.doubt = (w_re, w_im), np.maximum(doubt, np.float32(ECHO_CERTAIN))
    largest = int(lane_sum(size).argmax())
    for part in dict.fromkeys((largest, state.turn)):
        cut(state, part)
    state.turn = (state.turn + 1) % ECHO_PARTS


def follow(state: EchoState, which: int, hop: Float32) -> np.float32:
    """Follow one of the powers; returns that of this hop, (HOP,)."""
    now = np.float32(lane_sum(hop * hop))
    state.powers[which] = np.float32(ECHO_POWER_MEMORY) * state.powers[which] + now
    return now


def take_out(state: EchoState, near: Float32, power: np.float32, echo: Float32) -> Float32:
    """The microphone, of this power, without the estimate, unless that makes it louder."""
    after = follow(state, LEFT, near - echo)
    state.lost = state.lost + 1 if state.powers[LEFT] > np.float32(ECHO_LOST) * state.powers[NEAR] else 0
    if state.lost >= ECHO_LOST_HOPS:
        begin_anew(state)
    worse = after > np.float32(ECHO_WORSE) * power
    kept = np.float32(0) if worse else np.minimum(state.kept + np.float32(ECHO_RETURN), np.float32(1))
    ramp = np.arange(1, HOP + 1, dtype=np.float32) * np.float32(1 / HOP)
    share, state.kept = state.kept + (kept - state.kept) * ramp, kept
    return near - share * echo


def cancel(state: EchoState, near: Float32, far: Float32) -> Float32:
    """One hop of the microphone without the echo of the far end.

    near, far  (HOP,) float32, full scale 1; what is not finite counts as 0
    returns    (HOP,) float32, no later than near; near itself, to the bit, while no echo was found
    source     partitioned-block frequency-domain Kalman filter: Kuech, Mabande and Enzner 2014,
               doi:10.1109/ICASSP.2014.6853806; C twin: sordino_cancel in wasm/echo.c
    """
    near, far = guard(near), guard(far)
    state.far = np.concatenate([state.far[HOP:], far])
    newest = spectrum_of(state.far)
    re, im = (np.concatenate([new[None], old[:-1]]) for new, old in zip(newest, state.played, strict=True))
    state.played = re, im
    now = follow(state, NEAR, near)
    follow(state, FAR, far)
    found = delay.find_delay(state.late, near, far)
    if found == UNKNOWN:
        return near
    place(state, found)
    some = slice(state.start, state.start + ECHO_PARTS)
    played = re[some], im[some]
    power = played[0] * played[0] + played[1] * played[1]
    for _ in range(ECHO_PASSES):
        learn(state, played, power, near - estimate(state.path, played))
    return take_out(state, near, now, estimate(state.path, played))
