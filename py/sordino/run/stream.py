"""Any sample rate, any number of channels and any block around engines, which take hops of 48 kHz mono."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, gcd, lcm
from typing import Protocol

import numpy as np

from sordino.chain.numerics import Float32
from sordino.chain.params import HOP, SAMPLE_RATE
from sordino.chain.records import Settings
from sordino.chain.resample import Resampler, half_width

from .cancellers import Canceller
from .engines import Decision, Engine, Follower


class Converter(Protocol):
    """One channel's change of sample rate."""

    def process(self, samples: Float32) -> Float32:
        """Convert a block of any length; after n samples in all, ceil(n out_hz / in_hz) have come out."""


class NativeResampler:
    """The kernel's resampler behind the reference's interface."""

    def __init__(self, in_hz: int, out_hz: int, delay: float) -> None:
        from sordino._native import Resampler as Kernel

        self.kernel, self.ratio = Kernel(in_hz, out_hz, delay), out_hz / in_hz

    def process(self, samples: Float32) -> Float32:
        out = np.empty(int(samples.shape[0] * self.ratio) + 2, np.float32)
        return out[: self.kernel.process(out, np.ascontiguousarray(samples))]


class FarEnd:
    """What is played meanwhile: brought to hops beside those of the microphone, and its echo taken out of them.

    cancellers  one for each channel of the microphone
    converter   to 48 kHz, as each channel of the microphone has one; None at that rate
    waiting     samples at 48 kHz that wait for the next hop to be full
    """

    def __init__(self, cancellers: list[Canceller], converter: Converter | None, waiting: int) -> None:
        self.cancellers, self.converter = cancellers, converter
        self.waiting = np.zeros(waiting, np.float32)

    def take_out(self, hops: Float32, far: Float32) -> Float32:
        """(channels, n) whole hops at 48 kHz without the echo of (m,), all that was played since the last call."""
        clean = np.where(np.isfinite(far), far, np.float32(0))
        joined = np.concatenate([self.waiting, self.converter.process(clean) if self.converter else clean])
        played, self.waiting = joined[: hops.shape[1]], joined[hops.shape[1] :]
        if not played.size:
            return hops
        return np.stack([c.cancel(x, played) for c, x in zip(self.cancellers, hops, strict=True)])


class Chain:
    """Frames of any rate and channel count in, the same out, as far as they are ready.

    make_engine  starts one 48 kHz mono stream
    rate         samples per second, 1000..768000
    channels     1 or more
    linked       one decision about the mean of the channels for all of them, instead of one for each
    native       resample with the kernel, else with its NumPy twin (the same bytes)
    """

    def __init__(
        self, make_engine: Callable[[], Engine], rate: int, channels: int, linked: bool, native: bool = True
    ) -> None:
        self.rate, self.channels, self.native = rate, channels, native
        self.linked = linked and channels > 1
        self.engines = [make_engine() for _ in range(1 if self.linked else channels)]
        chain = self.engines[0].latency
        self.up_delay, self.down_delay, self.latency = resampler_delays(rate, chain)
        self._start()

    def _start(self) -> None:
        make = NativeResampler if self.native else Resampler
        rates = (self.rate, SAMPLE_RATE)
        same = self.rate == SAMPLE_RATE
        self.up: list[Converter] = [] if same else [make(*rates, self.up_delay) for _ in range(self.channels)]
        self.down: list[Converter] = [] if same else [make(*rates[::-1], self.down_delay) for _ in range(self.channels)]
        self.waiting = np.zeros((self.channels, 0), np.float32)
        self.far_end: FarEnd | None = None
        self.heard = 0
        self.followers: list[Follower] = []
        if self.linked:
            self.followers = [self.engines[0].follower() for _ in range(self.channels)]

    def reset(self) -> None:
        """Forget everything heard."""
        for engine in self.engines:
            engine.reset()
        self._start()

    def configure(self, settings: Settings) -> None:
        for engine in self.engines:
            engine.configure(settings)

    def decisions(self) -> list[Decision]:
        """One, or where the channels are independent one for each."""
        return [engine.decision() for engine in self.engines]

    def push(self, frames: Float32, far: Float32 | None = None) -> Float32:
        """Take (channels, n) float32, give (channels, m): all that is ready, `latency` frames late.

        far  (n,) float32, what is played meanwhile: its echo is taken out of every channel; None: silence
        """
        if far is not None and self.far_end is None:
            self.far_end = self._begin_far_end()
        clean = np.where(np.isfinite(frames), frames, np.float32(0))
        x = _each(self.up, clean)
        joined = np.concatenate([self.waiting, x], axis=1)
        whole = joined.shape[1] // HOP * HOP
        self.waiting = joined[:, whole:]
        self.heard += frames.shape[1]
        hops = np.ascontiguousarray(joined[:, :whole])
        if self.far_end:
            hops = self.far_end.take_out(hops, np.zeros(frames.shape[1], np.float32) if far is None else far)
        return _each(self.down, self._process(hops) if whole else hops)

    def _begin_far_end(self) -> FarEnd:
        """A far end that was silent up to now."""
        cancellers = [self.engines[0].canceller() for _ in range(self.channels)]
        if self.rate == SAMPLE_RATE:
            return FarEnd(cancellers, None, self.waiting.shape[1])
        make = NativeResampler if self.native else Resampler
        converter = make(self.rate, SAMPLE_RATE, self.up_delay)
        converter.process(np.zeros(self.heard % (self.rate // gcd(self.rate, SAMPLE_RATE)), np.float32))
        return FarEnd(cancellers, converter, self.waiting.shape[1])

    def _process(self, hops: Float32) -> Float32:
        if not self.linked:
            return np.stack([engine.process(x) for engine, x in zip(self.engines, hops, strict=True)])
        out = np.empty_like(hops)
        for n in range(0, hops.shape[1], HOP):
            hop = hops[:, n : n + HOP]
            self.engines[0].process(hop.mean(axis=0, dtype=np.float64).astype(np.float32))
            for channel, follower in enumerate(self.followers):
                out[channel, n : n + HOP] = follower.follow(hop[channel])
        return out


def resampler_delays(rate: int, chain_latency: int) -> tuple[float, float, int]:
    """Delays of both resamplers in their input samples, so that the whole is a whole number of samples at `rate`."""
    if rate == SAMPLE_RATE:
        return 0.0, 0.0, chain_latency
    down = half_width(SAMPLE_RATE, rate)
    least = half_width(rate, SAMPLE_RATE)
    beyond = (chain_latency + down) * rate / SAMPLE_RATE
    total = ceil(least + beyond)
    return max(least, total - beyond), down, total


def _each(converters: list[Converter], frames: Float32) -> Float32:
    if not converters:
        return frames
    return np.stack([c.process(x) for c, x in zip(converters, frames, strict=True)])


def reserve(rate: int, block: int) -> int:
    """Frames that must be held back so that n frames in always give n frames out, in blocks of `block` frames.

    At 48 kHz this is HOP - gcd(HOP, block): 0 for whole hops, HOP - 1 for any block.
    """
    if rate == SAMPLE_RATE:
        return HOP - gcd(HOP, block)
    period = lcm(rate // gcd(rate, SAMPLE_RATE // HOP), block)
    n = np.arange(block, period + 1, block, dtype=np.int64)
    hops = -(-n * SAMPLE_RATE // rate) // HOP
    ready = -(-hops * HOP * rate // SAMPLE_RATE)
    return int(np.maximum(n - ready, 0).max())
