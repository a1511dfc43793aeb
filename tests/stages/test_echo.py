"""Stage echo: takes the far end out, leaves the near voice, follows what moves, never louder; bits of every build."""

import numpy as np
import pytest

from kernels import every_build, kernels, same_bytes
from sordino.chain.echo import EchoState, cancel
from sordino.chain.params import HOP, SAMPLE_RATE
from stages.test_delay import heard, played
from train_support import voice


def room(seed: int, seconds: float = 0.08) -> np.ndarray:
    """An impulse response that decays by 60 dB in `seconds`."""
    n = int(seconds * SAMPLE_RATE)
    response = np.random.default_rng(seed).standard_normal(n) * np.exp(-6.9 * np.arange(n) / n)
    return response / np.sqrt((response**2).sum())


def through(far: np.ndarray, response: np.ndarray, late_ms: float = 20) -> np.ndarray:
    """The far end after a delay, a room and a loudspeaker that plays nothing above 8 kHz, (hops, HOP) float32."""
    spectrum = np.fft.rfft(heard(far, late_ms, 1.0).ravel(), far.size * 2) * np.fft.rfft(response, far.size * 2)
    spectrum[np.fft.rfftfreq(far.size * 2, 1 / SAMPLE_RATE) > 7800] = 0
    return (0.5 * np.fft.irfft(spectrum)[: far.size]).astype(np.float32).reshape(far.shape)


def run(near: np.ndarray, far: np.ndarray, state: EchoState | None = None) -> np.ndarray:
    state = state or EchoState()
    return np.stack([cancel(state, n, f) for n, f in zip(near, far, strict=True)])


def quieter_db(before: np.ndarray, after: np.ndarray) -> float:
    return float(10 * np.log10((before**2).sum() / (after**2).sum()))


@pytest.fixture(scope="module")
def far() -> np.ndarray:
    return played(6, 1)


@pytest.mark.parametrize("late_ms", [0, 140])
def test_the_echo_goes(far: np.ndarray, late_ms: int):
    echo = through(far, room(1), late_ms)
    left = run(echo, far)
    assert quieter_db(echo[200:], left[200:]) > 20


def test_the_near_voice_stays(far: np.ndarray):
    echo, near = through(far, room(1)), 0.5 * played(6, 2)
    near[:300] = 0
    left = run(echo + near, far)
    assert quieter_db(echo[300:], left[300:] - near[300:]) > 10


def test_another_room_is_learnt_within_two_seconds(far: np.ndarray):
    echo = np.concatenate([through(far, room(1))[:300], through(far, room(2))[300:]])
    left = run(echo, far)
    assert quieter_db(echo[500:], left[500:]) > 15
    assert quieter_db(echo[305:350], left[305:350]) > -1, "hardly louder while it learns"


def test_another_delay_moves_the_filter(far: np.ndarray):
    echo = np.concatenate([through(far, room(1), 30)[:250], through(far, room(1), 230)[250:]])
    left = run(echo, far)
    assert quieter_db(echo[450:], left[450:]) > 15


def test_without_a_far_end_nothing_changes():
    near = played(2, 2)
    same_bytes(run(near, 0 * near), near, "silent far end")


def test_a_far_end_that_is_not_in_the_microphone_costs_nothing(far: np.ndarray):
    near = played(6, 2)
    assert quieter_db(near, run(near, far) - near) > 12


@pytest.mark.parametrize("near_gain", [1e-4, 1.0, 30.0])
def test_never_louder_than_the_microphone(far: np.ndarray, near_gain: float):
    rng = np.random.default_rng(3)
    near = (near_gain * 0.1 * rng.standard_normal(far.shape)).astype(np.float32)
    near[150:300] = near_gain * 0.2 * np.roll(far, 7, axis=0)[150:300]
    left = run(near, np.sign(far).astype(np.float32))
    assert np.isfinite(left).all() and quieter_db(near, left) > -1


def test_the_level_does_not_matter(far: np.ndarray):
    echo = through(far, room(1))
    loud, faint = run(echo, far), run(1e-3 * echo, 1e-3 * far)
    assert abs(quieter_db(echo[200:], loud[200:]) - quieter_db(1e-3 * echo[200:], faint[200:])) < 1


@every_build
def test_parity(build):
    called = kernels(build).run
    far = played(2.4, 3)
    near = np.concatenate([through(far, room(1), 30)[:120], through(far, room(2), 210)[120:]])
    near += 0.02 * voice(2.4, 4).reshape(near.shape)
    near[90:95] *= -40
    state, memory = EchoState(), np.full(called("echo_bytes"), 7, np.uint8)
    called("reset_echo", memory)
    for hop, (n, f) in enumerate(zip(near, far, strict=True)):
        out = np.zeros(HOP, np.float32)
        called("cancel", out, memory, n, f)
        same_bytes(out, cancel(state, n, f), f"hop {hop}")
    assert state.start == 21, "it has begun, and moved"
