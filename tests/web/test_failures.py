"""Whatever fails, the voice goes on: the kernel, its files, its speed, its input; then suppression comes back."""

from pathlib import Path

import numpy as np
import pytest

from golden.signals import clip_files, read_clip
from sordino.formats.errors import ERRORS
from web.sessions import CLICK, KERNEL, RATE, Samples, least_level_db, roughness, run_session, steepness, tone

LATENCY = 1888
FAIL_AT, MENDED_AT = 128 * 375, 128 * 650
FAILURES = {"trap": 0.11220185, "not finite": 0.1, "slow": 0.08912509}
SETTLED = 6_000
TEXTS = {error.name: error.text for error in ERRORS}
REFUSALS = {
    "corrupt": TEXTS["WRONG_CHECKSUM"],
    "foreign": TEXTS["NOT_A_WEIGHT_FILE"],
    "truncated": TEXTS["WRONG_SIZE"],
}
"""By kind of file: what the kernel says of it."""


def break_down(voice: Samples, faulty: Path, how: str):
    """A kernel that halves, breaks, and is replaced as the page would do."""
    kernel = {"wasm": str(faulty), "weights": KERNEL["weights"]}
    actions = [
        {"at": FAIL_AT, "type": "settings", "settings": {"floorGain": FAILURES[how]}},
        {"at": MENDED_AT - 128, "type": "settings", "settings": {}},
        {"at": MENDED_AT, "type": "engine", "id": 1, **kernel},
    ]
    return run_session(voice, actions=actions, realTime=how == "slow", **kernel)


@pytest.mark.parametrize("how", FAILURES)
def test_a_broken_kernel(how: str, faulty_wasm: Path, record_property) -> None:
    voice = tone(100, 3)
    result = break_down(voice, faulty_wasm, how)
    output = result.output[0]
    if how == "slow":
        assert [reply["stopped"] for reply in result.said("overrun")][-1] is True
    else:
        assert [(reply["failure"]["code"], reply.get("id")) for reply in result.said("failure")] == [("runtime", None)]
    least = least_level_db(output[SETTLED:], voice)
    record_property(f"{how}: faintest 10 ms of the voice", f"{least:.1f} dB")
    assert least > -7, "half the voice is -6 dB"
    assert steepness(output[SETTLED:]) < steepness(voice) + 2 * CLICK
    unchanged = slice(FAIL_AT + 8_000, MENDED_AT)
    assert np.array_equal(output[unchanged], voice[unchanged.start - LATENCY : unchanged.stop - LATENCY])
    recovered = result.said("ready")[-1]
    assert recovered["id"] == 1 and recovered["at"] - MENDED_AT < RATE
    assert roughness(output[MENDED_AT:]) < CLICK
    late = slice(recovered["at"] + 1000, output.size)
    assert np.allclose(output[late], 0.5 * voice[late.start - LATENCY : late.stop - LATENCY], atol=1e-6)


def test_a_kernel_breaks_while_it_warms_up(faulty_wasm: Path) -> None:
    """A setting breaks it: who asked for it is answered, and the page told; the voice passes."""
    voice = tone(100, 1)
    actions = [
        {"at": FAIL_AT - 1280, "type": "engine", "id": 5, "wasm": str(faulty_wasm), "weights": KERNEL["weights"]},
        {"at": FAIL_AT, "type": "settings", "settings": {"floorGain": 0.07943282}},
    ]
    kernel = {"wasm": str(faulty_wasm), "weights": KERNEL["weights"]}
    result = run_session(np.concatenate([voice, voice]), actions=actions, **kernel)
    failures = [(reply["failure"]["code"], reply.get("id")) for reply in result.said("failure")]
    assert failures.count(("runtime", 5)) == 1 and failures.count(("runtime", None)) == 1
    assert least_level_db(result.output[0, SETTLED:], voice) > -7


def test_slowness_does_not_matter_offline(faulty_wasm: Path) -> None:
    settings = {"floorGain": FAILURES["slow"]}
    result = run_session(tone(100, 0.2), wasm=str(faulty_wasm), settings=settings)
    assert not result.said("overrun")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_input_that_is_no_sound(value: float) -> None:
    """Single samples, then 100 ms of them: the output stays finite, and the voice goes on after them."""
    voice = read_clip(clip_files()[0])[: 4 * RATE]
    disturbed = voice.copy()
    disturbed[30_000:30_003] = value
    disturbed[50_000:54_800] = value
    for settings in ({}, {"bypass": True}):
        wanted, output = (run_session(x, settings=settings).output[0] for x in (voice, disturbed))
        assert np.isfinite(output).all()
        after = slice(2 * RATE, None)
        assert abs(10 * np.log10(np.square(output[after]).mean() / np.square(wanted[after]).mean())) < 3


def test_the_voice_passes_until_the_kernel_is_there(faulty_wasm: Path) -> None:
    voice = tone(100, 2)
    engine = {"wasm": str(faulty_wasm), "weights": KERNEL["weights"]}
    actions = [{"at": 24_064, "type": "engine", "id": 1, **engine}]
    result = run_session(voice, startLater=True, actions=actions)
    ready = result.said("ready")[-1]["at"]
    assert np.array_equal(result.output[0, : ready - 128], voice[: ready - 128])
    assert least_level_db(result.output[0], voice) > -12, "undelayed and delayed voice meet for one fade"


@pytest.mark.parametrize("kind", ["corrupt", "foreign", "truncated", "not wasm"])
def test_files_that_are_none(kind: str, tmp_path: Path) -> None:
    """At the start the voice passes; beside a running kernel nothing changes. Both are told."""
    weights = Path(KERNEL["weights"]).read_bytes()
    middle = len(weights) // 2
    bad = {
        "corrupt": weights[:middle] + bytes([weights[middle] ^ 1]) + weights[middle + 1 :],
        "foreign": b"GIF89a" + bytes(5000),
        "truncated": weights[:-1],
        "not wasm": weights,
    }[kind]
    (tmp_path / "bad").write_bytes(bad)
    files = {**KERNEL, ("wasm" if kind == "not wasm" else "weights"): str(tmp_path / "bad")}
    voice = tone(100, 1)
    first = run_session(voice, **files)
    assert np.array_equal(first.output[0], voice[: first.output.shape[1]])
    later = run_session(voice, actions=[{"at": 24_064, "type": "engine", "id": 3, **files}])
    assert np.array_equal(later.output, run_session(voice).output)
    for result, engine in ((first, 0), (later, 3)):
        failure = result.said("failure")[-1]
        assert (failure["id"], failure["failure"]["code"]) == (engine, "wasm" if kind == "not wasm" else "weights")
        assert REFUSALS.get(kind, "") in failure["failure"]["message"]
