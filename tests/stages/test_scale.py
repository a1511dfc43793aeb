"""Stage scale: ordinary levels are left alone, faint and hot ones are treated as ordinary ones are, parity."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.signals import clip_files, read_clip
from kernels import every_build, kernels
from sordino import denoise
from sordino.chain.params import (
    HOP,
    SAMPLE_FLOOR,
    SCALE_FAINT,
    SCALE_FALL_HOPS,
    SCALE_HOT,
    SCALE_MAX,
    SCALE_RELEASE_HOPS,
    SCALE_TARGET,
    SILENT_PEAK,
)
from sordino.chain.scale import Level, follow, peak_exponent, power_of_two
from sordino.evaluation.measures import hop_power
from sordino.run.engines import open_engine


def hop_of_peak(exponent: int) -> np.ndarray:
    """A hop whose largest sample is 0.75 * 2^exponent."""
    return np.full(HOP, 0.75 * 2.0**exponent, np.float32) * np.where(np.arange(HOP) % 2, 1, -0.5).astype(np.float32)


def follow_peaks(peaks: list[int], level: Level | None = None) -> list[Level]:
    levels = [level or Level()]
    for peak in peaks:
        levels.append(follow(levels[-1], hop_of_peak(peak)))
    return levels[1:]


def power_db(x: np.ndarray) -> float:
    return float(10 * np.log10((x.astype(np.float64) ** 2).mean()))


@given(st.integers(-40, 10))
@settings(max_examples=60, deadline=None)
def test_the_exponent_bounds_the_hop(exponent):
    hop = hop_of_peak(exponent)
    assert peak_exponent(hop) == exponent and np.abs(hop).max() < power_of_two(exponent)


def test_ordinary_levels_are_left_alone():
    for peak in range(SCALE_FAINT, SCALE_HOT + 1):
        assert follow_peaks([peak] * 20 + [SCALE_HOT] + [SCALE_FAINT] * 20)[-1].scale == 0


@pytest.mark.parametrize("peak", [SCALE_FAINT - 1, -16, -20, -40])
def test_faint_levels_are_brought_to_the_target(peak):
    levels = follow_peaks([peak] * 3)
    assert {level.scale for level in levels} == {min(SCALE_TARGET - peak, SCALE_MAX)}


@pytest.mark.parametrize("peak", [SCALE_HOT + 1, 4, 5])
def test_hot_levels_are_brought_to_the_highest_ordinary_one(peak):
    assert {level.scale for level in follow_peaks([peak] * 3)} == {SCALE_HOT - peak}
    after = follow_peaks([-3] * (8 * SCALE_RELEASE_HOPS), follow_peaks([peak])[-1])
    assert after[0].scale == SCALE_HOT - peak and after[-1].scale == 0, "and in time the scale is none again"


def test_silence_changes_nothing():
    level = follow_peaks([-12])[-1]
    assert follow(level, np.zeros(HOP, np.float32)) == level and follow(Level(), np.zeros(HOP, np.float32)) == Level()


def test_after_faint_noise_the_scale_falls_step_by_step():
    levels = follow_peaks([-2] * 60, follow_peaks([-12])[-1])
    scales = [level.scale for level in levels]
    assert scales[0] == 5 and scales[-1] == 0 and max(np.abs(np.diff(scales))) == 1
    assert scales.index(0) == 5 * SCALE_FALL_HOPS


def test_the_scale_rises_only_after_long_quiet():
    levels = follow_peaks([-2] + [-12] * (7 * SCALE_RELEASE_HOPS))
    first = next(i for i, level in enumerate(levels) if level.scale)
    assert first == 6 * SCALE_RELEASE_HOPS and levels[first].scale == SCALE_TARGET + 8


@pytest.mark.parametrize("model", ["standard", "tiny"])
@pytest.mark.parametrize("level_db", [-110, -80, -60, 10])
def test_the_result_does_not_depend_on_the_level(model, level_db):
    for file in clip_files()[:3]:
        clip = read_clip(file)[: 4 * 48000]
        clip = clip * np.float32(10 ** ((-30 - power_db(clip)) / 20))
        factor = np.float32(10 ** ((level_db + 30) / 20))
        wanted, found = denoise(clip, 48000, model=model), denoise(clip * factor, 48000, model=model) / factor
        assert abs(power_db(found) - power_db(wanted)) < 1, file
        loud = hop_power(wanted) > 0.1 * hop_power(wanted).max()
        apart_db = 10 * np.log10(hop_power(found)[loud] / hop_power(wanted)[loud])
        assert np.abs(apart_db).mean() < 1, file


def test_a_burst_does_not_take_the_voice_after_it_along():
    clip = read_clip(clip_files()[0])[: 4 * 48000]
    burst = clip.copy()
    burst[HOP : 2 * HOP] = 1e30
    found, wanted = (denoise(x, 48000)[24000:] for x in (burst, clip))
    assert abs(power_db(found) - power_db(wanted)) < 1.5


def test_a_voice_that_sets_in_after_faint_noise_keeps_its_beginning():
    clip = read_clip(clip_files()[0])
    begin = int(np.flatnonzero(np.abs(clip) > 0.05)[0])
    voice = clip[max(0, begin - HOP) : begin + 3 * 48000]
    lead = np.zeros(3 * 48000, np.float32)
    faint = np.random.default_rng(1).standard_normal(lead.size + voice.size).astype(np.float32) * np.float32(2e-4)
    clean = np.concatenate([lead, voice])
    found = open_engine("native").process(np.pad(clean + faint, (0, 4 * HOP - clean.size % HOP)))[3 * HOP :]
    alone = open_engine("native").process(np.pad(voice, (0, 4 * HOP - voice.size % HOP)))[3 * HOP :]
    first = slice(lead.size, lead.size + 10 * HOP)
    kept = power_db(found[first]) - power_db(alone[: 10 * HOP])
    assert kept > -2, "the first tenth of a second after three seconds of faint noise"


@every_build
def test_parity(build):
    run = kernels(build).run
    rng = np.random.default_rng(7)
    level = Level()
    found = np.array([SILENT_PEAK, 0, 0, 0], np.int32)
    loudness = np.concatenate([np.zeros(3), rng.integers(-45, 5, 300), np.full(1200, -14), rng.integers(-20, 2, 200)])
    for step, exponent in enumerate(loudness):
        hop = rng.standard_normal(HOP).astype(np.float32) * np.float32(2.0**exponent)
        hop = np.where(np.abs(hop) < SAMPLE_FLOOR, np.float32(0), hop) * np.float32(step >= 3 and rng.random() > 0.02)
        level = follow(level, hop)
        run("follow_level", found, hop)
        assert tuple(found) == astuple(level), f"step {step}"
