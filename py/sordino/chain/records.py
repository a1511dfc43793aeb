"""The records that the chain hands from step to step, and what a stream carries from hop to hop.

C twin: wasm/core/state.h.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .fft import Split
from .numerics import Float32
from .params import BANDS, BINS, HISTORY, HOP, LAGS, PERIOD_MAX, PITCH_HISTORY, WINDOW
from .scale import Level


@dataclass(frozen=True)
class Settings:
    """What a listener may choose.

    post_filter  how often the gains are sharpened, 0 to POST_FILTER_PASSES_MAX
    floor_gain   no band is attenuated below this amplitude, 0..1, nor raised by the post-filter above its inverse; the
                 comb filter is held back by as much, so that 1 leaves the sound as it is
    """

    post_filter: int = 0
    floor_gain: float = 0.0


@dataclass(frozen=True)
class Inputs:
    """What a stream hears in one hop.

    near  (HOP,) float32 of the microphone, full scale 1, without the echo of the far end (see echo)
    """

    near: Float32


@dataclass(frozen=True)
class Frame:
    """One frame: spectrum (re, im), (BINS,) each, and energy (BANDS,)."""

    spectrum: Split
    energy: Float32


@dataclass(frozen=True)
class Analysis:
    """What the analysis finds about the output frame.

    frame          look_ahead frames before the newest
    comb_spectrum  (re, im), (BINS,) each, of its comb-filtered copy
    features       (FEATURES,) not normalised
    period         of the pitch, samples
    correlation    0..1, at that period
    """

    frame: Frame
    comb_spectrum: Split
    features: Float32
    period: int
    correlation: np.float32


class Decision(NamedTuple):
    """What the network says of a frame: gain and strength (BANDS,) in 0..1, voice probability."""

    gain: Float32
    strength: Float32
    voice: np.float32


@dataclass(frozen=True)
class Treatment:
    """How the output frame is treated, the same on every channel.

    gain        (BANDS,) after onset, post-filter and attenuation limit
    strength    (BANDS,) share of the comb-filtered spectrum
    look_ahead  frames between the newest and the one that is treated
    period      of the comb filter, samples
    scale       the samples of a channel are brought to 2^scale times what came in
    """

    gain: Float32
    strength: Float32
    look_ahead: int
    period: int = PERIOD_MAX
    scale: int = 0


class Decider(Protocol):
    """What decides on a frame, with a memory of its own: chain.network.Network, or a stand-in."""

    def reset(self) -> None:
        """Forget everything heard."""

    def step(self, features: Float32) -> Decision:
        """Decide on one frame, features (FEATURES,) not normalised."""


@dataclass
class Channel:
    """The sound of one channel: that of a stream, or of a channel that follows one.

    samples  the newest last
    overlap  (HOP,) second half of the last frame
    scale    both are 2^scale times what came in and goes out
    """

    samples: Float32
    overlap: Float32
    scale: int = 0


@dataclass
class State:
    """What one stream carries from hop to hop; new_state makes one.

    frames   the output frame first
    origins  the oldest first
    heard    hops with sound, see start
    """

    look_ahead: int
    settings: Settings
    decider: Decider
    channel: Channel
    level: Level
    decimated: Float32
    frames: deque[Frame]
    score: Float32
    origins: deque[NDArray[np.uint8]]
    onset_memory: Float32
    noise_memory: Float32
    heard: int
    treatment: Treatment


def new_state(decider: Decider, look_ahead: int, settings: Settings) -> State:
    """The state of a stream that has heard nothing; the decider's memory is its own."""
    count, silent = look_ahead + 1, np.zeros(BINS, np.float32)
    frame = Frame((silent, silent), np.zeros(BANDS, np.float32))
    samples = np.zeros(HISTORY + WINDOW + HOP * look_ahead, np.float32)
    return State(
        look_ahead=look_ahead,
        settings=settings,
        decider=decider,
        channel=Channel(samples, np.zeros(HOP, np.float32)),
        level=Level(),
        decimated=np.zeros(PITCH_HISTORY, np.float32),
        frames=deque([frame] * count, count),
        score=np.zeros(LAGS, np.float32),
        origins=deque([np.arange(LAGS, dtype=np.uint8)] * count, count),
        onset_memory=np.zeros(2, np.float32),
        noise_memory=np.zeros(2, np.float32),
        heard=0,
        treatment=Treatment(np.zeros(BANDS, np.float32), np.zeros(BANDS, np.float32), look_ahead),
    )
