"""The network spread over render quanta: the same samples later by what is reported, and quanta of like cost; streams
that take turns: the same latency, hops in other quanta."""

import itertools
import json
import subprocess
from collections.abc import Sequence

import numpy as np
import pytest

from golden.signals import clip_files, read_clip
from sordino.run.stream import resampler_delays
from support import ROOT
from web.sessions import RATE, Samples, run_sessions

QUANTA = [(48_000, 128, 3), (48_000, 100, 4), (48_000, 256, 1), (48_000, 480, 0), (44_100, 128, 3), (96_000, 128, 7)]
"""Rate, quantum, and the quanta over which a hop is spread."""
HEAD_STARTS = [(48_000, 128, (0, 128, 256, 384)), (44_100, 128, (0, 147, 294, 294)), (48_000, 480, (0, 0, 0, 0))]
"""Rate, quantum, and by how many samples of the context the hops of each turn are complete sooner."""
MODULE = """
import { build } from "esbuild";
const options = { entryPoints: ["web/src/worklet/schedule.ts"], bundle: true, write: false, format: "esm" };
const { outputFiles } = await build(options);
const module = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
const cases = JSON.parse(process.argv[1]);
"""
PARTS_LEFT = """
console.log(JSON.stringify(cases.map(([parts, quanta]) =>
  Array.from({ length: quanta + 1 }, (_, age) => module.partsLeft(parts, age, quanta)))));
"""
FILE_DELAYS = """
const found = cases.map(([rate, kernel]) => module.fileDelays(rate, kernel));
console.log(JSON.stringify(found.map(({ toKernel, fromKernel, total }) => [toKernel, fromKernel, total])));
"""


def from_schedule(script: str, cases: Sequence[Sequence[int]]) -> list[list[float]]:
    """What a script answers that has the module `module` and these `cases`."""
    command = ["node", "--input-type=module", "--eval", MODULE + script, json.dumps(cases)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


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
    for (parts, quanta), left in zip(cases, from_schedule(PARTS_LEFT, cases), strict=True):
        work = -np.diff([parts, *left])
        assert work.sum() == parts and (work >= 0).all() and left[-1] == 0
        cost = work + 1.2 * (np.arange(quanta + 1) == 0) + 0.5 * (np.arange(quanta + 1) == quanta)
        assert cost.max() <= cost.mean() + 1, (parts, quanta, cost)


def test_files_have_the_delays_of_the_command_line() -> None:
    rates = (8_000, 9_250, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
    cases = list(itertools.product(rates, (480, 960, 1440)))
    assert from_schedule(FILE_DELAYS, cases) == [list(resampler_delays(*case)) for case in cases]


def test_streams_take_turns() -> None:
    """A stream beside others hears what it would hear alone, had it begun sooner; latency is as ever."""
    clip = sound(1)
    for rate, quantum, sooner in HEAD_STARTS:
        request = {"rate": rate, "quantum": quantum}
        beside = run_sessions([(clip, {**request, "beside": turn}) for turn in range(4)])
        alone = run_sessions([(np.concatenate([np.zeros(more, np.float32), clip]), request) for more in sooner])
        for turn, more, found in zip(range(4), sooner, beside, strict=True):
            wanted = alone[turn]
            assert found.latency == wanted.latency == beside[0].latency
            length = min(found.output.shape[1], wanted.output.shape[1] - more)
            assert np.abs(found.output[0, found.latency : length]).max() > 0.01, "nothing was heard"
            assert np.array_equal(found.output[0, :length], wanted.output[0, more : more + length]), (rate, turn)
    others = [{"beside": 4}, {"beside": 1, "besideSpread": True}]
    first, fifth, beside_spread = run_sessions([(clip, request) for request in ({}, *others)])
    assert np.array_equal(fifth.output, first.output)
    assert np.array_equal(beside_spread.output, first.output), "spread streams need no turn"


def test_hops_of_different_turns_fall_into_different_quanta() -> None:
    """Four hops in 15 quanta each: with four turns, one quantum of 15 has two of them."""
    listen = [{"at": 0, "type": "voice", "on": True}]
    runs = run_sessions([(sound(1), {"beside": turn, "actions": listen}) for turn in range(4)])
    hops = np.concatenate([[reply["at"] // 128 for reply in run.said("voice")] for run in runs])
    together = np.bincount(hops)[15:360].reshape(-1, 15)
    assert (together.max(axis=1) == 2).all() and (together.sum(axis=1) == 16).all()


def test_what_streams_compute_together_is_billed_to_each() -> None:
    """Four spread streams go through the network together: the one that begins does the work of all, which all pay.

    Billed to it alone, that would be seven times and more of what the others pay.
    """
    (run,) = run_sessions([(sound(6), {"spread": True, "beside": 3, "besidePlay": True})])
    costs = [reply["readout"]["stats"]["meanFrameMs"] for reply in run.said("cost")]
    assert len(costs) == 4 and max(costs) < 3 * min(costs), costs
