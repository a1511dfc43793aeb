"""Stage delay: found for any delay, kept under near speech, followed when it jumps; the bits of every build."""

import numpy as np
import pytest

from kernels import every_build, kernels
from sordino.chain.delay import UNKNOWN, DelayState, find_delay
from sordino.chain.params import HOP, SAMPLE_RATE
from train_support import voice


def played(seconds: float, seed: int) -> np.ndarray:
    """Speech in a little noise, (hops, HOP) float32."""
    noise = 1e-4 * np.random.default_rng(seed).standard_normal(int(seconds * SAMPLE_RATE))
    return (voice(seconds, seed) + noise).astype(np.float32).reshape(-1, HOP)


def heard(far: np.ndarray, late_ms: float, level: float = 0.3) -> np.ndarray:
    """The far end as the microphone hears it later."""
    flat, late = far.ravel(), int(late_ms * SAMPLE_RATE / 1000)
    return (level * np.concatenate([np.zeros(late, np.float32), flat[: flat.size - late]])).reshape(far.shape)


def found(near: np.ndarray, far: np.ndarray) -> list[int]:
    state = DelayState()
    return [find_delay(state, n, f) for n, f in zip(near, far, strict=True)]


@pytest.mark.parametrize("late_ms", [0, 35, 180, 497])
def test_it_is_found_within_two_seconds(late_ms: int):
    far = played(4, 1)
    answers = found(heard(far, late_ms), far)
    assert abs(answers[200] * 10 - late_ms) <= 10
    assert len(set(answers[200:])) == 1


def test_nothing_is_found_without_an_echo_nor_without_a_far_end():
    far, near = played(3, 1), played(3, 2)
    assert set(found(0 * far, far)) == {UNKNOWN}
    assert set(found(near, 0 * far)) == {UNKNOWN}


def test_near_speech_does_not_move_it():
    far = played(6, 1)
    near = heard(far, 120)
    near[200:] += played(4, 2)
    assert set(found(near, far)[200:]) == {12}


def test_a_jump_is_followed():
    far = played(8, 1)
    near = np.concatenate([heard(far, 40)[:400], heard(far, 260)[400:]])
    answers = found(near, far)
    assert answers[399] == 4 and answers[650] == 26


@every_build
def test_parity(build):
    run = kernels(build).run
    far = played(1.5, 3)
    near = np.concatenate([heard(far, 30)[:70], heard(far, 210)[70:]]) + 0.1 * played(1.5, 4)
    state, memory = DelayState(), np.full(run("delay_bytes"), 7, np.uint8)
    run("reset_delay", memory)
    for hop, (n, f) in enumerate(zip(near, far, strict=True)):
        assert run("find_delay", memory, n, f) == find_delay(state, n, f), f"hop {hop}"
