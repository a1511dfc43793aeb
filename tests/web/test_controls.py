"""Live controls: none clicks, bypass is exact, presets differ, voices are told apart from silence."""

import numpy as np
import pytest

from golden.signals import clip_files, read_clip
from sordino.chain.params import HOP
from sordino.chain.records import Settings
from sordino.run.engines import open_engine
from support import MODELS
from web.sessions import CLICK, KERNEL, RATE, Samples, roughness, run_session, steepness, tone

HUM_HZ = 500
LATENCY = 1888
SETTINGS = {
    "bypass": {"bypass": True},
    "post-filter": {"postFilterPasses": 1},
    "attenuation limit": {"floorGain": 0.3},
    "conservative": {"postFilterPasses": 0, "floorGain": 0.178},
    "strong": {"postFilterPasses": 2},
}


def hum() -> Samples:
    """The deep parts of a noisy voice: they bend little, so that a click shows."""
    clip = read_clip(clip_files()[0])[: 2 * RATE]
    noise = 0.1 * np.random.default_rng(1).standard_normal(clip.size)
    spectrum = np.fft.rfft(clip + noise)
    spectrum[np.fft.rfftfreq(clip.size, 1 / RATE) > HUM_HZ] = 0
    return np.fft.irfft(spectrum, clip.size).astype(np.float32)


def decibels(step: float) -> int:
    return round(20 * np.log10(max(step, 1e-9)))


def largest_click(changed: Samples, *steady: Samples) -> float:
    """By how much a bend of the first sound is sharper than all bends of the others within 10 ms of it."""
    bends = [np.abs(np.diff(x.astype(np.float64), n=2)) for x in (changed, *steady)]
    sharpest = np.maximum.reduce(bends[1:])
    around = np.lib.stride_tricks.sliding_window_view(np.pad(sharpest, HOP), 2 * HOP + 1).max(axis=1)
    return float((bends[0] - around).max())


@pytest.mark.parametrize("change", SETTINGS)
def test_no_setting_clicks(change: str, record_property) -> None:
    """There and back twice, at times that fit neither quanta nor hops."""
    voice = hum()
    times = (40_000, 50_100, 63_333, 71_777)
    settings = (SETTINGS[change], {}) * 2
    actions = [{"at": at, "type": "settings", "settings": s} for at, s in zip(times, settings, strict=True)]
    runs = ({"actions": actions}, {}, {"settings": SETTINGS[change]})
    changed, without, throughout = (run_session(voice, **run).output[0, RATE // 2 :] for run in runs)
    assert min(np.abs(changed - steady).max() for steady in (without, throughout)) > CLICK, "both were heard"
    click = largest_click(changed, without, throughout)
    record_property(f"sharpest bend when {change} changes, beyond the voice's own, in dB", decibels(click))
    assert click < CLICK


def test_reset_fades_to_silence_and_begins_anew() -> None:
    clip = read_clip(clip_files()[0])[: 2 * RATE]
    at = 128 * 375
    result = run_session(clip, actions=[{"at": at, "type": "reset"}])
    fresh = run_session(clip[at:])
    assert np.array_equal(result.output[0, at + 480 :], fresh.output[0, 480:])
    smooth = run_session(tone(100, 2), actions=[{"at": at, "type": "reset"}])
    assert steepness(smooth.output[0, at - 10 : at + 490]) < steepness(tone(100, 1)) + 2.6 * CLICK


@pytest.mark.parametrize("model", ["standard", "tiny"])
def test_a_model_switch_is_not_heard(model: str) -> None:
    """To another copy of the same model, or to another one: it warms up unheard, fades in and stays."""
    clip = read_clip(clip_files()[0])[: 3 * RATE]
    weights = {name: str(MODELS / f"{name}.sordino") for name in ("standard", "tiny")}
    switch = {"at": 48_000, "type": "engine", "id": 7, **KERNEL, "weights": weights[model]}
    result = run_session(clip, actions=[switch])
    assert [reply["id"] for reply in result.said("ready")] == [0, 7]
    heard_from = result.said("ready")[-1]["at"]
    assert 0.25 * RATE < heard_from - switch["at"] < 0.6 * RATE
    before, after = slice(0, switch["at"]), slice(2 * RATE, None)
    assert np.array_equal(result.output[0, before], run_session(clip).output[0, before])
    alone = run_session(clip[switch["at"] :], weights=weights[model])
    assert np.array_equal(result.output[0, after], alone.output[0, after.start - switch["at"] :])
    tone_switched = run_session(tone(100, 2), actions=[switch]).output[0]
    assert roughness(tone_switched[24_000:]) < CLICK


def test_bypass_is_the_input_later() -> None:
    clip = read_clip(clip_files()[0])[:RATE]
    output = run_session(clip, settings={"bypass": True}).output[0]
    assert np.array_equal(output[LATENCY:], clip[: output.size - LATENCY])


@pytest.mark.parametrize("change", ["post-filter", "attenuation limit", "strong"])
def test_settings_are_the_kernels(change: str) -> None:
    clip = read_clip(clip_files()[0])[: 480 * 200]
    wanted = Settings(SETTINGS[change].get("postFilterPasses", 0), SETTINGS[change].get("floorGain", 0.0))
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
    assert second["stats"]["memoryBytes"] == first["stats"]["memoryBytes"] > 100_000
    assert -12 < first["inputDb"] < -8 and 0 <= first["voice"] <= 1
    assert len(first["gains"]) == len(first["strengths"]) == 34
