"""Any device: rates, quanta and channels; the reported latency is the measured one, pass-through is clean."""

from pathlib import Path

import numpy as np
import pytest

from golden.signals import clip_files, read_clip
from sordino.run.engines import open_engine
from web.sessions import CLICK, RATE, roughness, run_session, run_sessions, steepness, tone

RATES = (8_000, 16_000, 44_100, 48_000, 96_000)
MORE_RATES = (11_025, 22_050, 32_000, 44_056, 88_200, 192_000)
QUANTA = (128, 256, 480)
CHANNELS = (1, 2, 6)
PASS = {"settings": {"floorGain": 1, "postFilterPasses": 0}}
"""The kernel works but removes nothing; its comb filter may still be heard."""


def chord(rate: int, seconds: float, shift: float = 0.0) -> np.ndarray:
    """Tones across the pass band of the lower rate, peak below 1."""
    at = (np.arange(round(seconds * rate)) - shift) / rate
    low = min(rate, RATE)
    return sum(0.08 * np.sin(2 * np.pi * hz * at + k) for k, hz in enumerate(np.linspace(0.01, 0.45, 9) * low))


def measured_latency(output: np.ndarray, rate: int, reported: int) -> float:
    """Delay that explains the output best, to a tenth of a sample."""
    candidates = reported + np.arange(-12, 13) / 10
    steady = slice(rate // 2, output.size - 10)
    wanted = (chord(rate, output.size / rate, delay)[: output.size][steady] for delay in candidates)
    errors = [np.square(output[steady] - x).sum() for x in wanted]
    return float(candidates[int(np.argmin(errors))])


@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("quantum", QUANTA)
def test_latency_and_pass_through(quantum: int, channels: int, faulty_wasm: Path, record_property) -> None:
    """With a kernel that only delays by 30 ms and halves."""
    rates = RATES + (MORE_RATES if (quantum, channels) == (128, 1) else ())
    loud = np.array([(-1) ** c * 0.5 ** (c % 3) for c in range(channels)])
    chords = {rate: loud[:, None] * chord(rate, 1.2) for rate in rates}
    runs = [(chords[rate], {"rate": rate, "quantum": quantum, "wasm": str(faulty_wasm)}) for rate in rates]
    errors = {}
    for rate, result in zip(rates, run_sessions(runs), strict=True):
        output = 2 * result.output
        found = measured_latency(output[0], rate, result.latency)
        assert abs(found - result.latency) <= 1, (rate, found, result.latency)
        wanted = loud[:, None] * chord(rate, 1.2, result.latency)[None, : output.shape[1]]
        steady = slice(rate // 2, output.shape[1] - 10)
        error = np.square(output[:, steady] - wanted[:, steady]).mean() / np.square(wanted[:, steady]).mean()
        errors[rate] = round(float(10 * np.log10(error)), 1)
    record_property(f"pass-through error in dB, quantum {quantum}, {channels} channels", errors)
    assert max(errors.values()) < -80, errors


def test_48_khz_is_the_kernel_itself() -> None:
    clip = read_clip(clip_files()[0])[: 480 * 200]
    result = run_session(clip, quantum=480)
    assert result.latency == 1440
    assert np.array_equal(result.output[0], open_engine("native").process(clip)[: result.output.shape[1]])


@pytest.mark.parametrize("look_ahead", [0, 1, 2])
def test_less_look_ahead_is_less_latency(look_ahead: int) -> None:
    clip = read_clip(clip_files()[0])[: 480 * 100]
    result = run_session(clip, lookAhead=look_ahead)
    kernel = open_engine("native", look_ahead=look_ahead)
    assert result.latency == 448 + kernel.latency == 448 + 480 * (1 + look_ahead)
    assert np.array_equal(result.output[0, 448:], kernel.process(clip)[: result.output.shape[1] - 448])


def test_linked_channels_keep_the_image() -> None:
    clip = read_clip(clip_files()[0])[: RATE * 2]
    image = np.array([1, 0.5, -0.25], np.float32)[:, None]
    output = run_session(image * clip).output
    assert np.allclose(output, image * output[0], atol=1e-5)
    assert np.std(output) > 1e-3


def test_independent_channels_are_streams_of_their_own() -> None:
    clip = read_clip(clip_files()[0])[:RATE]
    other = read_clip(clip_files()[1])[:RATE]
    apart = run_session(np.stack([clip, other]), linked=False).output
    for got, alone in zip(apart, (clip, other), strict=True):
        assert np.array_equal(got, run_session(alone).output[0])


def test_channels_may_come_and_go() -> None:
    """A second channel that joins is the voice at once, and nothing clicks."""
    voice = np.stack([tone(100, 2)] * 2)
    actions = [{"at": 0, "type": "channels", "channels": 1}, {"at": 48_000, "type": "channels", "channels": 2}]
    result = run_session(voice, actions=[*actions, {"at": 72_000, "type": "channels", "channels": 1}], **PASS)
    assert roughness(result.output[0, 12_000:]) < CLICK
    joined = result.output[1, 48_384:71_000]
    assert np.allclose(joined, result.output[0, 48_384:71_000], atol=1e-4)


def test_another_quantum_on_the_way() -> None:
    actions = [{"at": 24_064, "type": "quantum", "quantum": 256}, {"at": 60_000, "type": "quantum", "quantum": 960}]
    voice = tone(100, 2)
    result = run_session(voice, actions=actions, **PASS)
    assert [reply["latencySamples"] for reply in result.said("ready")] == [1888, 1888, 1440]
    assert steepness(result.output[0, 12_000:]) < steepness(voice) + 4 * CLICK, "time itself jumps here, by 10 ms"


@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_noise_is_removed_at_other_rates(rate: int) -> None:
    """What 48 kHz removes is removed at other rates, to within a decibel of level in the shared band."""
    import soxr

    clip = read_clip(clip_files()[0])[: 3 * RATE]
    there = run_session(soxr.resample(clip, RATE, rate), rate=rate)
    narrow = soxr.resample(soxr.resample(clip, RATE, min(rate, RATE)), min(rate, RATE), RATE)
    here = run_session(narrow)
    levels = [10 * np.log10(np.square(x[0, x.shape[1] // 3 :]).mean()) for x in (there.output, here.output)]
    assert abs(levels[0] - levels[1]) < 1
