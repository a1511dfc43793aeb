"""Live controls: none clicks, bypass is exact, presets differ, voices are told apart from silence."""

import numpy as np
import pytest

from golden.signals import clip_files, read_clip
from sordino.engines import open_engine
from sordino.pipeline import Settings
from web.sessions import CLICK, KERNEL, RATE, roughness, run_session, steepness, tone

REBLOCKING = 448
LATENCY = 1888
SETTINGS = {
    "bypass": {"bypass": True},
    "post-filter": {"postFilterPasses": 0},
    "attenuation limit": {"floorGain": 0.3},
    "conservative": {"postFilterPasses": 0, "floorGain": 0.178},
    "strong": {"postFilterPasses": 2},
}


@pytest.mark.parametrize("change", SETTINGS)
def test_no_setting_clicks(change: str, record_property) -> None:
    """There and back twice, at times that fit neither quanta nor hops."""
    voice = tone(100, 2)
    times = (40_000, 50_100, 63_333, 71_777)
    settings = (SETTINGS[change], {}) * 2
    actions = [{"at": at, "type": "settings", "settings": s} for at, s in zip(times, settings, strict=True)]
    changed = roughness(run_session(voice, actions=actions).output[0, 24_000:])
    unchanged = roughness(run_session(voice).output[0, 24_000:])
    steps = [round(20 * np.log10(max(step, 1e-9))) for step in (changed, unchanged)]
    record_property(f"largest step when {change} changes, and without, in dB", steps)
    assert changed < CLICK


def test_reset_fades_to_silence_and_begins_anew() -> None:
    clip = read_clip(clip_files()[0])[: 2 * RATE]
    at = 128 * 375
    result = run_session(clip, actions=[{"at": at, "type": "reset"}])
    fresh = run_session(clip[at:])
    assert np.array_equal(result.output[0, at + 480 :], fresh.output[0, 480:])
    smooth = run_session(tone(100, 2), actions=[{"at": at, "type": "reset"}])
    assert steepness(smooth.output[0, at - 10 : at + 490]) < steepness(tone(100, 1)) + 2.6 * CLICK


def test_a_model_switch_is_not_heard() -> None:
    """To another copy of the same model, which warms up unheard and fades in."""
    clip = read_clip(clip_files()[0])[: 3 * RATE]
    switch = {"at": 48_000, "type": "engine", "id": 7, **KERNEL}
    result = run_session(clip, actions=[switch])
    assert [reply["id"] for reply in result.said("ready")] == [0, 7]
    heard_from = result.said("ready")[-1]["at"]
    assert 0.25 * RATE < heard_from - switch["at"] < 0.6 * RATE
    still = run_session(clip).output[0]
    before = slice(0, switch["at"])
    assert np.array_equal(result.output[0, before], still[before])
    tone_switched = run_session(tone(100, 2), actions=[switch]).output[0]
    assert roughness(tone_switched[24_000:]) < CLICK


def test_bypass_is_the_input_later() -> None:
    clip = read_clip(clip_files()[0])[: RATE]
    output = run_session(clip, settings={"bypass": True}).output[0]
    assert np.array_equal(output[LATENCY:], clip[: output.size - LATENCY])


@pytest.mark.parametrize("change", ["post-filter", "attenuation limit", "strong"])
def test_settings_are_the_kernels(change: str) -> None:
    clip = read_clip(clip_files()[0])[: 480 * 200]
    wanted = Settings(SETTINGS[change].get("postFilterPasses", 1), SETTINGS[change].get("floorGain", 0.0))
    output = run_session(clip, quantum=480, settings=SETTINGS[change]).output[0]
    assert np.array_equal(output, open_engine("native", settings=wanted).process(clip)[: output.size])


def test_voice_once_per_hop() -> None:
    clip = np.concatenate([np.zeros(RATE, np.float32), read_clip(clip_files()[0])[: 2 * RATE]])
    result = run_session(clip, actions=[{"at": 0, "type": "voice", "on": True}])
    heard = result.said("voice")
    assert abs(len(heard) - 300) <= 1
    probabilities = np.array([reply["probability"] for reply in heard])
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert np.median(probabilities[:90]) < np.max(probabilities[110:])


def test_the_counters() -> None:
    result = run_session(tone(100, 1), actions=[{"at": 24_000, "type": "read"}, {"at": 47_000, "type": "read"}])
    first, second = (reply["readout"] for reply in result.said("readout"))
    assert (first["stats"]["frames"], second["stats"]["frames"]) == (50, 98)
    assert second["stats"]["memoryBytes"] == first["stats"]["memoryBytes"] > 1_000_000
    assert -12 < first["inputDb"] < -8 and 0 <= first["voice"] <= 1
    assert len(first["gains"]) == len(first["strengths"]) == 34
