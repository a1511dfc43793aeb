"""The public interface: denoise() for recordings, Denoiser for streams, on NumPy arrays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sordino.chain.numerics import Float32
from sordino.chain.params import MAX_LOOK_AHEAD, POST_FILTER_PASSES_MAX, SAMPLE_RATE
from sordino.chain.records import Settings

from .align import aligned
from .engines import Decision, open_engine
from .samples import MAX_CHANNELS, Samples, as_long, channels_of, frames_of, like, played_beside
from .stream import Chain, reserve

MIN_RATE, MAX_RATE = 1_000, 768_000
MAX_BLOCK = 1 << 20


class Denoiser:
    """A stream: blocks of samples in, as many clean samples out, `latency` samples later.

    sample_rate           samples per second, 1000..768000; other rates than 48000 are converted to it and back
    channels              1..64
    model                 short name of a model that ships, or path of an .onnx or .sordino file
    attenuation_limit_db  attenuate no band by more than this, >= 0; None: no limit; 0: leave everything
    post_filter           sharpen the gains: False or 0 off, True or 1 on, 2 twice; removes more, of the voice too
    look_ahead            frames of 10 ms that are heard before a frame is decided on, 0..2, at most the model's own;
                          each less is 10 ms less latency, and costs some quality
    linked                one decision about the mean of the channels, the same gains on all, so that the stereo image
                          stays; else every channel is cleaned on its own
    block_size            blocks are multiples of so many samples; the larger its common divisor with 10 ms, the less
                          latency: 480 at 48 kHz adds none, 1 (any block) adds 479 samples
    engine                "native", or the slower "wasm" and "reference" (the same bytes)
    raises                ValueError or TypeError for arguments out of range; FileNotFoundError for an unknown model;
                          ModelError for a file that is none; EngineError where the engine is not to be had

    An object serves one thread at a time; different objects run in parallel: process() computes without the GIL.
    """

    def __init__(
        self,
        sample_rate: int = SAMPLE_RATE,
        channels: int = 1,
        *,
        model: str | Path = "standard",
        attenuation_limit_db: float | None = None,
        post_filter: bool | int = False,
        look_ahead: int = MAX_LOOK_AHEAD,
        linked: bool = False,
        block_size: int = 1,
        engine: str = "native",
    ) -> None:
        self._rate = _whole("sample_rate", sample_rate, MIN_RATE, MAX_RATE)
        self._channels = _whole("channels", channels, 1, MAX_CHANNELS)
        self._block = _whole("block_size", block_size, 1, MAX_BLOCK)
        self._settings = Settings(_passes(post_filter), floor_gain(attenuation_limit_db))
        frames = _whole("look_ahead", look_ahead, 0, MAX_LOOK_AHEAD)
        if not isinstance(model, str | Path):
            raise TypeError(f"model is {type(model).__name__}, wanted a name or a path")

        def start() -> Any:
            return open_engine(engine, model, self._settings, frames)

        self._chain = Chain(start, self._rate, self._channels, bool(linked), engine == "native")
        self._reserve = reserve(self._rate, self._block)
        self._dtype: np.dtype[Any] = np.dtype(np.float32)
        self._start()

    def _start(self) -> None:
        self._ready = np.zeros((self._channels, self._reserve), np.float32)

    @property
    def sample_rate(self) -> int:
        """Samples per second."""
        return self._rate

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self._channels

    @property
    def latency(self) -> int:
        """Samples at sample_rate between input and output of process(), everything counted."""
        return self._chain.latency + self._reserve

    def process(self, samples: NDArray[Samples], far: NDArray[Samples] | None = None) -> NDArray[Samples]:
        """Take a block, give as many samples out.

        samples  (n,) for one channel, else (channels, n); float32, float64 (full scale 1) or int16; n >= 0, a multiple
                 of block_size. Samples that are not finite count as 0; beyond 16 times full scale they are clamped.
        far      as many samples of what the loudspeaker plays meanwhile, (n,) or (any channels, n), any of the types:
                 its echo, up to half a second later, is taken out of the microphone. None: nothing is played
        returns  the same shape and type, `latency` samples late; float64 carries float32 precision, int16 is rounded
                 and clipped
        raises   TypeError for another type, ValueError for another shape; the stream is as before
        """
        frames = frames_of(samples, self._channels)
        if frames.shape[1] % self._block:
            raise ValueError(f"a block of {frames.shape[1]} samples, wanted a multiple of {self._block} (block_size)")
        played = None if far is None else played_beside(far, frames.shape[1])
        self._dtype = samples.dtype
        out = self._advance(frames, played)
        return like(out, samples.dtype).reshape(samples.shape)

    def _advance(self, frames: Float32, far: Float32 | None = None) -> Float32:
        self._ready = np.concatenate([self._ready, self._chain.push(frames, far)], axis=1)
        out = self._ready[:, : frames.shape[1]]
        self._ready = self._ready[:, frames.shape[1] :]
        return out

    def _advance_both(self, frames: Float32) -> Float32:
        """The far end in the last row."""
        return self._advance(frames[:-1], frames[-1])

    def flush(self) -> NDArray[Any]:
        """End the stream: the last `latency` samples, in the type of the last block. Then the object is as new.

        returns  (latency,) for one channel, else (channels, latency)
        """
        silence = -(-self.latency // self._block) * self._block
        out = self._advance(np.zeros((self._channels, silence), np.float32))[:, : self.latency]
        self.reset()
        return like(out[0] if self._channels == 1 else out, self._dtype)

    def reset(self) -> None:
        """Forget everything heard; the settings stay."""
        self._chain.reset()
        self._start()

    @property
    def attenuation_limit_db(self) -> float | None:
        """May be set between blocks; None: no limit."""
        floor = self._settings.floor_gain
        return None if floor == 0 else float(-20 * np.log10(floor))

    @attenuation_limit_db.setter
    def attenuation_limit_db(self, limit_db: float | None) -> None:
        self._configure(Settings(self._settings.post_filter, floor_gain(limit_db)))

    @property
    def post_filter(self) -> int:
        """How often the gains are sharpened, 0..2; may be set between blocks."""
        return int(self._settings.post_filter)

    @post_filter.setter
    def post_filter(self, passes: bool | int) -> None:
        self._configure(Settings(_passes(passes), self._settings.floor_gain))

    def _configure(self, settings: Settings) -> None:
        self._settings = settings
        self._chain.configure(settings)

    @property
    def decisions(self) -> list[Decision]:
        """What was decided about the 10 ms just given out: one entry, or one per channel where they are independent."""
        return self._chain.decisions()

    @property
    def voice(self) -> float:
        """Speech probability of the 10 ms just given out, 0..1; of independent channels the highest."""
        return max(d.voice for d in self.decisions)

    @property
    def gains(self) -> Float32:
        """The network's amplitude gain per ERB band, 0..1: (34,), or (channels, 34) where they are independent."""
        return self._per_band([d.gains for d in self.decisions])

    @property
    def strengths(self) -> Float32:
        """Share of the comb-filtered spectrum per ERB band, 0..1; shapes as in gains."""
        return self._per_band([d.strengths for d in self.decisions])

    @property
    def pitch_hz(self) -> float:
        """Fundamental frequency of the 10 ms just given out; of independent channels that of the likeliest speech."""
        return SAMPLE_RATE / max(self.decisions, key=lambda d: d.voice).pitch_period

    def _per_band(self, rows: list[Float32]) -> Float32:
        return rows[0] if len(rows) == 1 else np.stack(rows)


def denoise(
    samples: NDArray[Samples],
    sample_rate: int,
    *,
    model: str | Path = "standard",
    attenuation_limit_db: float | None = None,
    post_filter: bool | int = False,
    look_ahead: int = MAX_LOOK_AHEAD,
    linked: bool = False,
    engine: str = "native",
    far: NDArray[Samples] | None = None,
) -> NDArray[Samples]:
    """Clean a whole recording; the result is aligned with the input. The same bytes as from a Denoiser.

    samples      (n,) mono or (channels, n), channels first; float32, float64 (full scale 1) or int16; n may be 0
    sample_rate  samples per second, 1000..768000
    far          what was played meanwhile, as in Denoiser.process; a shorter one is followed by silence
    others       see Denoiser
    returns      the same shape and type
    raises       as Denoiser and Denoiser.process
    """
    channels = channels_of(samples)
    stream = Denoiser(
        sample_rate,
        channels,
        model=model,
        attenuation_limit_db=attenuation_limit_db,
        post_filter=post_filter,
        look_ahead=look_ahead,
        linked=linked,
        engine=engine,
    )
    frames = frames_of(samples, channels)
    out = np.empty(frames.shape, samples.dtype)
    played = None if far is None else as_long(played_beside(far), frames.shape[1])
    at = 0
    for clean in _whole_recording(stream, frames, played):
        out[:, at : at + clean.shape[1]] = like(clean, samples.dtype)
        at += clean.shape[1]
    return out.reshape(samples.shape)


def _whole_recording(stream: Denoiser, frames: Float32, far: Float32 | None) -> Iterator[Float32]:
    """(channels, n) a second at a time through a fresh stream, in time; far (n,)."""
    push: Any = stream._advance
    if far is not None:
        frames, push = np.vstack([frames, far]), stream._advance_both
    second = stream.sample_rate
    blocks = (frames[:, start : start + second] for start in range(0, frames.shape[1], second))
    return aligned(blocks, push, stream.latency, stream.latency)


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name} is {type(value).__name__}, wanted a number")
    if not low <= value <= high or value != int(value):
        raise ValueError(f"{name} is {value}, wanted a whole number, {low}..{high}")
    return int(value)


def _passes(post_filter: Any) -> int:
    if not isinstance(post_filter, bool | np.bool_ | int | np.integer):
        raise TypeError(f"post_filter is {type(post_filter).__name__}, wanted True, False or a number of passes")
    if not 0 <= int(post_filter) <= POST_FILTER_PASSES_MAX:
        raise ValueError(f"post_filter is {post_filter}, wanted 0..{POST_FILTER_PASSES_MAX} passes")
    return int(post_filter)


def floor_gain(limit_db: Any) -> float:
    """Smallest gain of an attenuation limit, 0..1; None: 0, no limit. raises TypeError, ValueError"""
    if limit_db is None:
        return 0.0
    if isinstance(limit_db, bool | np.bool_) or not isinstance(limit_db, int | float | np.integer | np.floating):
        raise TypeError(f"attenuation_limit_db is {type(limit_db).__name__}, wanted a number or None")
    if not 0 <= limit_db < np.inf:
        raise ValueError(f"attenuation_limit_db is {limit_db}, wanted 0 or more, or None for no limit")
    return float(10 ** (-float(limit_db) / 20))
