"""The offline benchmark and `sordino bench`: statistics, table, what is refused; and every engine gets its figure."""

import json
import os
import sys

import numpy as np
import pytest
import soundfile

from bench import offline
from sordino import cli
from sordino.run import bench
from sordino.run.timing import Timing, in_turns, one_core

OURS, OTHER = Timing(60.0, (1.0, 4.0, 2.0)), Timing(6.0, (0.3, 0.8, 0.5))


def test_statistics_are_medians_per_second_of_sound():
    assert OURS.median_s == 2
    assert OURS.real_time_factor == pytest.approx(2 / 60)
    assert OTHER.ratio(OURS) == pytest.approx(2.5), "turn by turn 3, 2 and 2.5 times the cost"


def test_turns_are_interleaved():
    calls = []
    works = {name: ((lambda name=name: calls.append(name)), 1.0) for name in "ab"}
    found = in_turns(works, 3)
    assert calls == list("ababab")
    assert all(len(t.cpu_s) == 3 and t.seconds == 1 for t in found.values())
    with pytest.raises(ValueError, match="0 repeats"):
        in_turns(works, 0)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system pins no threads")
def test_one_core_is_given_back():
    allowed = os.sched_getaffinity(0)
    with one_core() as pinned:
        assert pinned and len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == allowed


def test_the_recording_repeats_the_clips():
    some = offline.recording(1.5)
    assert some.dtype == np.float32 and some.size == 90 * 48_000
    period = sum(soundfile.info(path).frames for path in offline.CLIPS.glob("*.ogg"))
    assert 0 < period < some.size
    assert np.array_equal(some[period:], some[: some.size - period])


@pytest.mark.parametrize("kind", ["short", "not finite", "silence", "nothing done"])
def test_what_does_not_denoise_is_refused(kind):
    outputs = {
        "short": lambda noisy: noisy[480:],
        "not finite": lambda noisy: noisy * np.float32(np.nan),
        "silence": np.zeros_like,
        "nothing done": np.copy,
    }
    with pytest.raises(SystemExit, match="some"):
        offline.check("some", offline.Contestant(outputs[kind], 4.0), offline.recording(0.1))


def test_the_table_names_what_was_left_out():
    found = {name: {**offline.as_record(t, OURS), "start_ms": 1.4} for name, t in (("ours", OURS), ("peer", OTHER))}
    machine = {"cpu": "some CPU", "cores": 2, "load": 0.5, "time": "today"}
    result = {"systems": found, "machine": machine, "pinned": True, "repeats": 3, "missing": {"other": "no wheel"}}
    text = offline.markdown(result)
    assert "| ours | 2.000 | 30 | 1.00 | 1 | 300% | 60 |" in text
    assert "| peer | 5.000 | 12 | 2.50 | 1 | 167% | 6 |" in text
    assert "some CPU, one of 2 cores, load 0.5, today; median of 3 turns." in text
    assert "Left out: other: no wheel" in text


def test_the_command_times_the_engines(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sordino", "bench", "--seconds", "0.2", "--repeats", "1", "--json"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    found = json.loads(capsys.readouterr().out)
    assert {*found["engines"], *found["missing"]} == set(bench.ENGINES)
    assert found["engines"]["native"]["seconds"] == pytest.approx(0.2)
    assert found["engines"]["native"]["real_time_factor"] > 0
