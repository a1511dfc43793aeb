"""Resampling: clean in the pass band, nothing folds back, blocks do not matter; every build gives the same bits."""

import numpy as np
import pytest

from kernels import every_build, same_bytes
from sordino.chain.resample import Resampler, half_width
from sordino.run.engines import WasmMemory
from support import BUILD

RATES = (8_000, 11_025, 16_000, 22_050, 44_100, 44_056, 96_000, 192_000)
BLOCKS = (1, 127, 128, 480, 1024, 0, 441)


class Native:
    def __init__(self, in_hz: int, out_hz: int, delay: float) -> None:
        from sordino._native import Resampler as Compiled

        self.resampler, self.ratio = Compiled(in_hz, out_hz, delay), out_hz / in_hz

    def process(self, samples: np.ndarray) -> np.ndarray:
        out = np.empty(int(samples.size * self.ratio) + 2, np.float32)
        return out[: self.resampler.process(out, samples)]


class Wasm:
    """Two channels at once; the second is the first, turned upside down."""

    def __init__(self, variant: str, in_hz: int, out_hz: int, delay: float) -> None:
        self.memory = WasmMemory(BUILD / "wasm" / f"sordino.{variant}.wasm")
        self.stride = int(1024 * out_hz / in_hz) + 2
        self.input, self.output = self.memory.reserve(2 * 4096), self.memory.reserve(8 * self.stride)
        self.state = self.memory.reserve(self.memory.call("sordino_resampler_bytes", in_hz, out_hz, 2, delay))
        self.memory.call("sordino_resampler_init", self.state, in_hz, out_hz, 2, delay)

    def process(self, samples: np.ndarray) -> np.ndarray:
        self.memory.write(self.input, np.concatenate([samples, -samples]).tobytes())
        places = (self.output, self.stride, self.input, samples.size, samples.size)
        count = self.memory.call("sordino_resample", self.state, *places)
        both = np.frombuffer(self.memory.read(self.output, 8 * self.stride), np.float32).reshape(2, -1)[:, :count]
        assert np.array_equal(both[1], -both[0])
        return both[0]


def in_blocks(resampler, samples: np.ndarray) -> np.ndarray:
    parts, start = [], 0
    for i in range(10_000):
        size = BLOCKS[i % len(BLOCKS)]
        parts.append(resampler.process(samples[start : start + size]))
        start += size
        if start >= samples.size:
            break
    return np.concatenate(parts)


def tone(hz: float, rate: int, samples: int, shift: float = 0.0) -> np.ndarray:
    return np.sin(2 * np.pi * hz * (np.arange(samples) + shift) / rate)


@every_build
@pytest.mark.parametrize("rate", RATES)
def test_every_build_gives_the_references_bits(build: str, rate: int) -> None:
    noise = np.random.default_rng(rate).standard_normal(5000).astype(np.float32)
    noise[100], noise[200], noise[300] = np.nan, np.inf, 1e-42
    for in_hz, out_hz in ((rate, 48_000), (48_000, rate)):
        delay = half_width(in_hz, out_hz) + 0.37
        got = in_blocks(Native(in_hz, out_hz, delay) if build == "native" else Wasm(build, in_hz, out_hz, delay), noise)
        same_bytes(got, Resampler(in_hz, out_hz, delay).process(noise), f"{in_hz} -> {out_hz} Hz")


@pytest.mark.parametrize("rate", RATES)
def test_there_and_back(rate: int, record_property) -> None:
    """A comb of tones across the pass band, to 48 kHz and back: what is not the delayed comb is below -80 dB."""
    low = min(rate, 48_000)
    samples = max(rate // 2, 4000)
    there, back = Resampler(rate, 48_000), Resampler(48_000, rate, half_width(48_000, rate) + 0.25)
    delay = there.delay + back.delay * rate / 48_000
    tones = np.linspace(0.002, 0.45, 12) * low
    heard = sum(tone(hz, rate, samples) for hz in tones).astype(np.float32) / np.float32(12)
    wanted = sum(tone(hz, rate, samples, -delay) for hz in tones) / 12
    got = back.process(there.process(heard))
    steady = slice(int(2 * delay) + 100, min(got.size, samples))
    error = got[steady] - wanted[steady]
    level = 10 * np.log10((error**2).mean() / (wanted[steady] ** 2).mean())
    record_property(f"resampling {rate} Hz there and back, error", f"{level:.1f} dB")
    assert level < -80


@pytest.mark.parametrize("rate", [8_000, 16_000, 32_000])
def test_nothing_folds_into_the_pass_band(rate: int) -> None:
    """Downwards, a tone above the new rate's stop band edge leaves less than -80 dB."""
    for hz in (0.56 * rate, 0.7 * rate):
        got = Resampler(48_000, rate).process(tone(hz, 48_000, 48_000).astype(np.float32))
        assert 10 * np.log10((got[200:] ** 2).mean()) < -83


def test_arguments_out_of_range() -> None:
    memory = WasmMemory(BUILD / "wasm" / "sordino.simd128.wasm")
    wrong = ((999, 48_000, 1, 32.0), (48_000, 48_000, 9, 32.0), (44_100, 48_000, 1, 31.0), (8_000, 48_000, 0, 32.0))
    for arguments in wrong:
        assert memory.call("sordino_resampler_bytes", *arguments) == 0
