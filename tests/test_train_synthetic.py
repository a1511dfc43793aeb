"""Synthetic noise and music: repeatable, no two alike, with the pitch and the movement that each kind has."""

import numpy as np
import pytest

from train_support import RATE, require_torch

require_torch()
from sordino.data.synthetic_music import music_sounds  # noqa: E402
from sordino.data.synthetic_noise import CLIP_S, LEVEL_DB, noise_sounds, play, wander, wavetable  # noqa: E402


@pytest.fixture(scope="module")
def noises():
    return noise_sounds(16 * CLIP_S, 1)


@pytest.fixture(scope="module")
def pieces():
    return music_sounds(3 * CLIP_S, 1)


def frames_db(samples: np.ndarray) -> np.ndarray:
    """Power of frames of 20 ms."""
    frames = samples[: samples.size // 960 * 960].reshape(-1, 960).astype(np.float64)
    return 10 * np.log10(np.square(frames / 32768).mean(1) + 1e-12)


def flatness_db(samples: np.ndarray) -> float:
    """How much lower the geometric mean of the spectrum is than its mean: 2.5 for white noise, more for tones."""
    power = np.square(np.abs(np.fft.rfft(samples.astype(np.float64))))[100:]
    return float(10 * np.log10(power.mean()) - (10 * np.log10(power + 1e-6)).mean())


def test_a_wavetable_plays_at_its_pitch() -> None:
    table = wavetable(np.random.default_rng(0), np.array([1.0, 0.5, 0.25]))
    tone = play(table, np.arange(RATE) * (440 / RATE))
    power = np.square(np.abs(np.fft.rfft(tone)))
    assert sorted(np.argsort(power)[-3:]) == [440, 880, 1320]
    np.testing.assert_allclose(power[[440, 880]] / power[440], [1, 0.25], rtol=1e-3)


def test_a_wandering_curve_is_as_fast_as_asked() -> None:
    slow, fast = (wander(np.random.default_rng(0), 60 * RATE, points) for points in (1.0, 20.0))

    def turns(curve: np.ndarray) -> int:
        return int((np.diff(np.sign(curve)) != 0).sum())

    assert 15 < turns(slow) < 45 < 300 < turns(fast)
    assert 0.5 < slow.std() < 1.2 and abs(slow.mean()) < 0.4


def test_the_seed_makes_the_noise(noises) -> None:
    again, other = noise_sounds(2 * CLIP_S, 1), noise_sounds(2 * CLIP_S, 2)
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(again, noises[:2], strict=True))
    assert not any(np.array_equal(a.samples, b.samples) for a, b in zip(again, other, strict=True))


def test_noises_have_their_level_and_do_not_clip(noises, pieces) -> None:
    assert {sound.facts.category for sound in noises} == {"engine", "texture", "hum", "alarm"}
    for sound in (*noises, *pieces):
        assert len(sound.samples) == CLIP_S * RATE == sound.facts.length
        assert np.abs(sound.samples).max() < 0.95 * 32768
        power_db = 10 * np.log10(np.square(sound.samples / 32768.0).mean())
        assert LEVEL_DB - 25 < power_db < LEVEL_DB + 0.1
        assert sound.facts.voice_share == 0, "nobody speaks in it"


def test_engines_and_hums_are_tones_and_textures_are_not(noises) -> None:
    of_kind = {
        kind: [flatness_db(sound.samples[:RATE]) for sound in noises if sound.facts.category == kind]
        for kind in ("engine", "texture", "hum")
    }
    assert np.median(of_kind["engine"]) > np.median(of_kind["texture"]) + 6, of_kind


def test_alarms_go_on_and_off(noises) -> None:
    alarms = [sound.samples for sound in noises if sound.facts.category == "alarm"]
    assert any(np.ptp(np.percentile(frames_db(alarm), (5, 95))) > 20 for alarm in alarms)


def test_music_has_notes_that_begin(pieces) -> None:
    assert not np.array_equal(pieces[0].samples, pieces[1].samples)
    for piece in pieces:
        rises = np.diff(frames_db(piece.samples)) > 2
        assert rises.sum() >= 4, "chords and beats"
        assert flatness_db(piece.samples[:RATE]) > 8, "tones"
