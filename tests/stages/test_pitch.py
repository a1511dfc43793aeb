"""Stage pitch: finds the period of voices, follows glides, resists noise; every build gives its bits and choices."""

import numpy as np
import pytest

from kernels import Inputs, every_build, kernels, same_bytes
from sordino.chain import pitch
from sordino.chain.model import NetworkShape, random_model
from sordino.chain.params import (
    DECIMATION,
    DECIMATION_TAPS,
    HISTORY,
    HOP,
    LAG_MAX,
    LAG_MIN,
    LAGS,
    PERIOD_MAX,
    PERIOD_MIN,
    PITCH_HISTORY,
    SAMPLE_RATE,
    WINDOW,
)
from sordino.chain.pipeline import Pipeline

SMALL = random_model(NetworkShape(8, 4, 4, 1))


def voice(fundamental_hz, seconds_, harmonics=12):
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(fundamental_hz, round(seconds_ * SAMPLE_RATE))) / SAMPLE_RATE
    return (0.1 * sum(np.sin(k * phase) / k for k in range(1, harmonics + 1))).astype(np.float32)


def follow(x):
    pipeline = Pipeline(SMALL)
    periods = []
    for hop in x[: x.shape[0] // HOP * HOP].reshape(-1, HOP):
        pipeline.process(hop)
        periods.append(pipeline.analysis.period)
    return np.array(periods)


@pytest.mark.parametrize("hz", [70, 90, 120, 150.5, 200, 261.6, 333, 440])
def test_steady_voice(hz):
    periods = follow(voice(hz, 0.4))[15:]
    assert np.abs(periods - SAMPLE_RATE / hz).max() <= 1


def test_glide_in_noise():
    t = np.linspace(0, 1, 2 * SAMPLE_RATE)
    hz = 100 * 3**t
    noise = np.random.default_rng(0).standard_normal(t.shape[0]).astype(np.float32) * np.float32(0.02)
    periods = follow(voice(hz, 2) + noise)
    frame_centre = (np.arange(periods.shape[0]) - SMALL.look_ahead) * HOP
    wanted = SAMPLE_RATE / hz[np.clip(frame_centre, 0, None)]
    assert np.mean(np.abs(periods / wanted - 1)[20:] < 0.02) > 0.95


def test_silence_and_noise_stay_in_range():
    for name, x in Inputs(30 * HOP):
        periods = follow(x)
        assert periods.min() >= PERIOD_MIN, name
        assert periods.max() <= PERIOD_MAX, name


def test_correlation_of_a_periodic_signal_peaks_at_its_lag():
    x = np.sin(2 * np.pi * np.arange(PITCH_HISTORY) / 60).astype(np.float32)
    correlation = pitch.correlate(x)
    assert abs(LAG_MAX - int(np.argmax(correlation)) - 60) % 60 == 0
    assert 0.999 < correlation.max() <= 1


def test_track_prefers_the_contour_to_a_single_peak():
    score = np.zeros(LAGS, np.float32)
    for frame in range(10):
        correlation = np.zeros(LAGS, np.float32)
        correlation[100] = 0.8
        if frame == 7:
            correlation[20] = 0.95
        score, _ = pitch.track(score, correlation)
        assert np.argmax(score) == 100


def test_trace_back_follows_the_origins():
    first, second = np.arange(LAGS, dtype=np.uint8), np.arange(LAGS, dtype=np.uint8)
    first[50], second[40] = 40, 33
    score = np.zeros(LAGS, np.float32)
    score[50] = 1
    assert pitch.trace_back(score, [first, second]) == LAG_MAX - 33


@every_build
def test_decimation_parity(build):
    for name, x in Inputs(HOP + DECIMATION_TAPS - DECIMATION):
        out = np.zeros(HOP // DECIMATION, np.float32)
        kernels(build).run("decimate", out, x.copy())
        same_bytes(out, pitch.decimate(x), name)


@every_build
def test_correlation_parity(build):
    for name, x in Inputs(PITCH_HISTORY):
        out = np.zeros(LAGS, np.float32)
        kernels(build).run("correlate", out, x.copy())
        same_bytes(out, pitch.correlate(x), name)


@every_build
def test_track_parity(build):
    rng = np.random.default_rng(3)
    score, wanted = np.zeros(LAGS, np.float32), np.zeros(LAGS, np.float32)
    for frame in range(50):
        correlation = rng.uniform(-1, 1, LAGS).astype(np.float32)
        if frame % 10 == 0:
            correlation[:] = 0.5
        origin = np.zeros(LAGS, np.uint8)
        kernels(build).run("track", score, origin, correlation)
        wanted, wanted_origin = pitch.track(wanted, correlation)
        same_bytes(score, wanted, f"frame {frame}, score")
        same_bytes(origin, wanted_origin, f"frame {frame}, origin")
        assert kernels(build).run("trace_back", score, origin, 1) == pitch.trace_back(wanted, [wanted_origin])


@every_build
def test_refinement_parity(build):
    for name, x in [*Inputs(HISTORY + WINDOW), ("voice", voice(140, 1)[: HISTORY + WINDOW])]:
        for lag in (LAG_MIN, LAG_MIN + 1, 60, 86, LAG_MAX - 1, LAG_MAX):
            correlation = np.zeros(1, np.float32)
            period = kernels(build).run("refine", correlation, x.copy(), lag)
            wanted, wanted_correlation = pitch.refine(x, lag)
            assert period == wanted, f"{name}, lag {lag}"
            same_bytes(correlation, np.float32([wanted_correlation]), f"{name}, lag {lag}")
