"""Measures and statistics of the quality comparison on cases worked out by hand."""

import numpy as np
import pytest

from sordino.evaluation import measures, statistics
from sordino.evaluation.testset import Case

RATE = 48000
HALF_DB = 20 * np.log10(0.5)


def noise(seconds: float, seed: int = 0, level: float = 0.1) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


def words(*bounds: tuple[float, float], seconds: float = 2.0) -> np.ndarray:
    """White noise between the bounds, in seconds, silence elsewhere."""
    time = np.arange(int(seconds * RATE)) / RATE
    heard = sum((time >= start) & (time < end) for start, end in bounds)
    return noise(seconds) * heard.astype(np.float32)


def case(index: int, part: str = "plain", snr_db: float = 7.0, kind: str = "engines") -> Case:
    return Case(index, part, kind, snr_db, -26.0, 0.0, 16000.0, ("a.opus",))


def test_active_power_leaves_silence_out():
    assert measures.active_power(words((0.5, 1.0))) == pytest.approx(0.01, rel=0.05)
    assert measures.active_power(np.zeros(4800, np.float32)) == 0


def test_lag_is_found_and_undone():
    sound = noise(1)
    for lag in (-700, 0, 992, 1530):
        late = measures.shift(sound, -lag, len(sound))
        assert measures.find_lag(sound, late, 9600) == lag
        inner = slice(1600, -1600)
        assert np.array_equal(measures.shift(late, lag, len(sound))[inner], sound[inner])


def test_kept_level():
    spectrum = measures.spectrogram(noise(1))
    assert measures.kept_db(spectrum, spectrum) == pytest.approx(0, abs=1e-9)
    assert measures.kept_db(spectrum, 0.5 * spectrum) == pytest.approx(HALF_DB)
    assert measures.kept_db(spectrum, 1j * spectrum) == pytest.approx(0, abs=1e-9), "a turned phase is no loss"
    assert measures.kept_db(spectrum, 0 * spectrum) == measures.FLOOR_DB
    other = measures.spectrogram(noise(1, 1))
    assert measures.kept_db(spectrum, spectrum + other) == pytest.approx(0, abs=0.1), "noise is not speech"
    assert measures.kept_db(spectrum, other) < -20


def test_onsets_are_words_after_a_pause():
    clean = words((0.3, 0.7), (0.75, 0.9), (1.5, 1.8))
    assert measures.onset_hops(clean).tolist() == [30, 150], "50 ms is no pause"
    clipped = clean * (1 - (np.arange(len(clean)) // 2400 == 30))  # the first 50 ms of the second word
    kept = measures.onsets_kept_db(clean, clipped.astype(np.float32))
    assert kept[0] == pytest.approx(0, abs=1e-6) and kept[1] == measures.FLOOR_DB
    half = 0.5 * clean * (np.arange(len(clean)) < RATE)  # noise that ends before the second word
    assert measures.onset_snrs_db(clean, clean + half) == pytest.approx([-HALF_DB, -measures.FLOOR_DB])


def test_fricatives_are_frames_with_more_energy_above_4_khz():
    time = np.arange(RATE) / RATE
    vowel = (0.2 * np.sin(2 * np.pi * 400 * time) * (time < 0.5)).astype(np.float32)
    hiss = (0.05 * np.sin(2 * np.pi * 7000 * time) * (time >= 0.5)).astype(np.float32)
    assert measures.fricatives_kept_db(vowel + hiss, vowel + 0.5 * hiss, 20000) == pytest.approx(HALF_DB, abs=0.1)
    assert measures.fricatives_kept_db(vowel + hiss, 0.5 * vowel + hiss, 20000) == pytest.approx(0, abs=0.1)
    assert np.isnan(measures.fricatives_kept_db(vowel, vowel, 20000))


def test_pauses():
    clean, hum = words((0.5, 1.0)), noise(2, 1, 0.01)
    assert np.flatnonzero(measures.pauses(clean)).tolist() == [*range(42), *range(108, 200)]
    noisy = clean + hum
    assert measures.pause_reduction_db(clean, noisy, clean + 0.5 * hum) == pytest.approx(-HALF_DB, abs=1e-3)
    assert measures.pause_reduction_db(clean, noisy, clean) == -measures.FLOOR_DB
    assert measures.residual_db(clean, noisy) == pytest.approx(-20, abs=0.5)
    assert np.isnan(measures.residual_db(noise(1), noise(1)))


def test_log_spectral_distance():
    clean = noise(1)
    assert measures.log_spectral_distance_db(clean, clean, 20000) == 0
    assert measures.log_spectral_distance_db(clean, 0.5 * clean, 20000) == pytest.approx(-HALF_DB, abs=0.01)
    assert measures.level_change_db(clean, 0.5 * clean) == pytest.approx(HALF_DB, abs=1e-3)


def test_interval_holds_the_mean_and_shrinks():
    values = np.random.default_rng(0).normal(3, 1, 400)
    few, many = statistics.interval(values[:25]), statistics.interval([*values, None, float("nan")])
    assert many["clips"] == 400 and many["low"] < 3 < many["high"]
    width = many["high"] - many["low"]
    assert width == pytest.approx(2 * 1.96 / 20, rel=0.15) and width < few["high"] - few["low"]
    assert statistics.interval([2.0, 2.0]) == {"mean": 2, "low": 2, "high": 2, "clips": 2}
    assert statistics.interval([None]) == {}


def test_labels_of_ratios():
    found = [statistics.snr_label(x) for x in (-5, -0.1, 0, 4.9, 19.9, 20)]
    assert found == ["-5..0 dB", "-5..0 dB", "0..5 dB", "0..5 dB", "15..20 dB", "15..20 dB"]


def test_summaries_keep_the_parts_apart():
    cases = [case(0), case(1, "babble", 2.0, "babble"), case(2, "clean", np.inf, "none")]
    scores = {
        0: {"pesq": 1.0, "onsets_kept_db": [0.0, -9.0], "onsets_snr_db": [12.0, 9.0]},
        1: {"pesq": 2.0},
        2: {"pesq": 4.0},
    }
    found = statistics.summaries(scores, cases)
    assert found["noisy"]["pesq"]["mean"] == 1.5 and found["clean"]["pesq"]["mean"] == 4
    assert list(found["by_snr"]) == ["0..5 dB", "5..10 dB"]
    assert list(found["by_kind"]) == ["engines"] and set(found["by_part"]) == {"plain", "babble", "clean"}
    assert found["onsets"]["clear_onsets_heard"] == {"mean": 1, "low": 1, "high": 1, "clips": 1}
    assert found["onsets"]["onsets_heard"]["mean"] == 0.5 and found["onsets"]["onsets_kept_db"]["mean"] == -4.5


def test_differences_are_paired():
    cases = [case(i) for i in range(3)]
    one, other = {0: {"pesq": 2.0}, 1: {"pesq": 3.0}}, {0: {"pesq": 1.9}, 1: {"pesq": 2.9}, 2: {"pesq": 1.0}}
    found = statistics.differences(one, other, cases, ["pesq", "ovrl"])
    assert set(found) == {"pesq"} and found["pesq"]["clips"] == 2
    assert found["pesq"]["low"] == pytest.approx(0.1) and found["pesq"]["high"] == pytest.approx(0.1)


def summary(kept_db: float, quieter_db: float, ratio_db: float) -> statistics.Summary:
    values = {"speech_kept_db": kept_db, "pause_reduction_db": quieter_db, "si_sdr_db": ratio_db}
    return {name: {"mean": value} for name, value in values.items()}


def test_silence_and_copies_are_suspected():
    noisy = summary(0, 0, 5)
    assert "silence" in statistics.suspicion(summary(-60, 60, -40), noisy)
    assert "input" in statistics.suspicion(summary(0, 0.1, 5.02), noisy)
    assert statistics.suspicion(summary(-1, 12, 9), noisy) == ""
