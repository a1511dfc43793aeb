"""The network spread over render quanta: the same samples later by what is reported, and quanta of like cost."""

import itertools
import json
import subprocess

import numpy as np
import pytest

from golden.signals import clip_files, read_clip
from support import ROOT
from web.sessions import RATE, Samples, run_sessions

QUANTA = [(48_000, 128, 3), (48_000, 100, 4), (48_000, 256, 1), (48_000, 480, 0), (44_100, 128, 3), (96_000, 128, 7)]
"""Rate, quantum, and the quanta over which a hop is spread."""
SCHEDULE = """
import { build } from "esbuild";
const options = { entryPoints: ["web/src/worklet/schedule.ts"], bundle: true, write: false, format: "esm" };
const { outputFiles } = await build(options);
const { partsLeft } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
const cases = JSON.parse(process.argv[1]);
console.log(JSON.stringify(cases.map(([parts, quanta]) =>
  Array.from({ length: quanta + 1 }, (_, age) => partsLeft(parts, age, quanta)))));
"""


def sound(seconds: float) -> Samples:
    """A noisy voice."""
    return read_clip(clip_files()[0])[2 * RATE :][: round(seconds * RATE)]


def test_the_same_samples_later() -> None:
    clip = sound(1)
    runs = [
        (clip, {"rate": rate, "quantum": quantum, "spread": spread})
        for (rate, quantum, _), spread in itertools.product(QUANTA, (False, True))
    ]
    results = run_sessions(runs)
    for (rate, quantum, quanta), immediate, spread in zip(QUANTA, results[::2], results[1::2], strict=True):
        extra = quanta * quantum
        assert spread.latency == immediate.latency + extra, (rate, quantum)
        later, first = spread.output[0, extra:], immediate.output[0, : spread.output.shape[1] - extra]
        assert np.abs(later[spread.latency :]).max() > 0.01, "nothing was heard"
        assert np.array_equal(later, first), (rate, quantum)


@pytest.mark.parametrize("linked", [True, False])
def test_channels_that_come_and_go(linked: bool) -> None:
    """The output has as many channels as the input has now, so it changes sooner in the sound that is later."""
    stereo = np.stack([sound(1), sound(1)[::-1]])
    changes = {128 * 100: 1, 128 * 201: 2}
    actions = [{"at": at, "type": "channels", "channels": channels} for at, channels in changes.items()]
    request = {"linked": linked, "actions": actions}
    immediate, spread = run_sessions([(stereo, request), (stereo, {**request, "spread": True})])
    extra = spread.latency - immediate.latency
    later, first = spread.output[:, extra:], immediate.output[:, : spread.output.shape[1] - extra]
    time = np.arange(later.shape[1])
    settled = np.all([(time < at - extra) | (time >= at + 4 * RATE // 100) for at in changes], axis=0)
    assert extra == 384
    assert np.array_equal(later[:, settled], first[:, settled])


def test_reset_and_quanta_of_another_length() -> None:
    clip = sound(2)
    at = 128 * 301
    reset = [{"at": at, "type": "reset"}]
    fresh, again = run_sessions([(clip[at:], {"spread": True}), (clip, {"spread": True, "actions": reset})])
    assert np.array_equal(again.output[0, at + 480 :], fresh.output[0, 480:])
    longer = [{"at": at, "type": "quantum", "quantum": 256}]
    (changed,) = run_sessions([(clip, {"spread": True, "actions": longer})])
    assert [reply["latencySamples"] for reply in changed.said("ready")] == [1888 + 384, 1888 + 256]


def test_quanta_of_like_cost() -> None:
    """What a quantum does, the analysis before the network and the way back after it counted, is near the mean."""
    cases = [(5, 3), (6, 3), (5, 1), (5, 7), (6, 4), (1, 3)]
    command = ["node", "--input-type=module", "--eval", SCHEDULE, json.dumps(cases)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    for (parts, quanta), left in zip(cases, json.loads(done.stdout), strict=True):
        work = -np.diff([parts, *left])
        assert work.sum() == parts and (work >= 0).all() and left[-1] == 0
        cost = work + 1.2 * (np.arange(quanta + 1) == 0) + 0.5 * (np.arange(quanta + 1) == quanta)
        assert cost.max() <= cost.mean() + 1, (parts, quanta, cost)
