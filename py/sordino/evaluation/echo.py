"""Echo: seeded scenes of a call on loudspeakers go through ours and others' echo control; scores and plots come out.

`python3 build.py bench echo` calls it. What is judged is AECMOS (how little echo, how little damage; Purin et al. 2022,
arXiv:2110.03010), how much quieter the microphone gets while only the far end speaks, and the near voice while both do.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE

from .comparison import excluded_noise, progress, workers
from .echo_set import CHANGE_S, NEAR_FROM_S, SAMPLES, SECONDS, Scene, make_scene
from .echo_systems import SYSTEMS, EchoSystem, add_path
from .measures import find_lag, shift, speech_kept_db
from .metrics import METRIC_RATE, estoi, pesq_wb, si_sdr_db, to_metric_rate
from .options import ClipOptions
from .peers import install
from .report import table
from .statistics import interval
from .testset import load_material

Signal = NDArray[np.float32]
_MOST_LAG = 4800
_STEP_S = 0.25  # of the curves over time
_TALK = {"far alone": "st", "path change": "st", "drift": "st", "near alone": "nst"}
"""What AECMOS calls a kind; double talk else."""
COLUMNS = (
    ("far alone", "echo_mos", "far alone: echo MOS", 2),
    ("far alone", "first_second_db", "quieter by dB in the second 1 to 2", 1),
    ("far alone", "settled_db", "at the end", 1),
    ("path change", "changed_db", "1.5 s after a change of the path", 1),
    ("drift", "settled_db", "clocks 200 ppm apart", 1),
    ("both", "echo_mos", "both talk: echo MOS", 2),
    ("both", "damage_mos", "damage MOS", 2),
    ("both", "kept_db", "near voice dB", 1),
    ("both", "estoi_lost", "ESTOI lost by the echo", 3),
    ("both", "si_sdr_db", "SI-SDR dB", 1),
    ("near alone", "damage_mos", "near alone: damage MOS", 2),
    ("near alone", "kept_db", "voice dB", 1),
    ("all", "us_per_hop", "us per 10 ms", 0),
)
"""Group of scenes, score, heading, digits."""
BOTH = ("double talk", "distorted loudspeaker", "music")


@dataclass(frozen=True)
class Options(ClipOptions):
    """What is compared: the peers' packages lie in `peers`; offline: install nothing."""

    peers: Path
    offline: bool


def quieter_db(before: Signal, after: Signal, start_s: float, end_s: float) -> float:
    """How much quieter a stretch is, dB; 60 at most."""
    part = slice(int(start_s * SAMPLE_RATE), int(end_s * SAMPLE_RATE))
    powers = [float((x[part].astype(np.float64) ** 2).mean()) for x in (before, after)]
    return float(10 * np.log10(max(powers[0], 1e-20) / max(powers[1], powers[0] * 1e-6, 1e-20)))


def aecmos(scene: Scene, out: Signal) -> tuple[float, float]:
    """How little echo there is and how little damage, 1 to 5 each."""
    model = importlib.import_module("speechmos.aecmos").AECMOS("aecmos_16kHz")
    low = [np.clip(to_metric_rate(x), -1, 1) for x in (scene.far, scene.microphone, out)]
    low = [x[: SAMPLES * METRIC_RATE // SAMPLE_RATE] for x in low]
    found = model(dict(zip(("lpb", "mic", "enh"), low, strict=True)), _TALK.get(scene.kind, "dt"))
    return float(found["echo_mos"]), float(found["deg_mos"])


def _near_scores(scene: Scene, out: Signal, free: Signal) -> dict[str, float]:
    """Of the near voice; free: what the system makes of the microphone without the echo and of a silent far end."""
    start = 0 if scene.kind == "near alone" else int(NEAR_FROM_S * SAMPLE_RATE)
    near, left, best = scene.near[start:], out[start:], free[start:]
    a, b, c = (to_metric_rate(x) for x in (near, left, best))
    return {
        "kept_db": speech_kept_db(near, left),
        "si_sdr_db": si_sdr_db(near, left),
        "pesq": pesq_wb(a, b),
        "estoi": estoi(a, b),
        "estoi_lost": estoi(a, c) - estoi(a, b),
    }


def score(scene: Scene, system: EchoSystem) -> dict[str, Any]:
    """All scores of one system in one scene."""
    begin = time.perf_counter()
    raw = system.start()(scene.microphone, scene.far)
    seconds = time.perf_counter() - begin
    lag = find_lag(scene.microphone, raw, _MOST_LAG)
    out = shift(raw, lag, SAMPLES)
    echo_mos, damage_mos = aecmos(scene, out)
    found: dict[str, Any] = {"us_per_hop": 1e6 * seconds / (100 * SECONDS), "lag": lag}
    found |= {"damage_mos": damage_mos} if scene.kind == "near alone" else {"echo_mos": echo_mos}
    if scene.kind in BOTH:
        found["damage_mos"] = damage_mos
    if scene.kind in BOTH or scene.kind == "near alone":
        silent = np.zeros_like(scene.far)
        free = shift(system.start()(scene.without, silent), lag, SAMPLES)
        found |= _near_scores(scene, out, free)
    if scene.kind != "near alone":
        edges = np.arange(0, NEAR_FROM_S if scene.kind in BOTH else SECONDS, _STEP_S)
        found["curve_db"] = [quieter_db(scene.microphone, out, at, at + _STEP_S) for at in edges]
        found["first_second_db"] = quieter_db(scene.microphone, out, 1 + scene.delay_s, 2 + scene.delay_s)
    if scene.kind not in (*BOTH, "near alone"):
        found["settled_db"] = quieter_db(scene.microphone, out, 7, SECONDS)
        found["changed_db"] = quieter_db(scene.microphone, out, CHANGE_S + 1.5, CHANGE_S + 3)
    return found


def _score_scene(task: tuple[int, int, str, str, str, list[str]]) -> tuple[int, str, dict[str, dict[str, Any]]]:
    seed, index, cache, split, packages, names = task
    add_path(Path(packages))
    scene = make_scene(seed, index, load_material(Path(cache), split, excluded_noise()))
    return index, scene.kind, {s.name: score(scene, s) for s in SYSTEMS if s.name in names}


def of_group(kind: str) -> str:
    """The group of the tables that a kind of scene belongs to."""
    return "both" if kind in BOTH else kind


def summarise(results: Iterable[tuple[int, str, dict[str, dict[str, Any]]]]) -> dict[str, Any]:
    """Mean and interval per system, group of scenes and score."""
    values: dict[str, dict[str, dict[str, list[float]]]] = {}
    for _, kind, systems in sorted(results):
        for name, scores in systems.items():
            for group in (of_group(kind), "all"):
                into = values.setdefault(name, {}).setdefault(group, {})
                for key, value in scores.items():
                    if isinstance(value, float):
                        into.setdefault(key, []).append(value)
    return {
        name: {group: {key: interval(some) for key, some in scores.items()} for group, scores in groups.items()}
        for name, groups in values.items()
    }


def markdown(systems: dict[str, Any], missing: dict[str, str], about: str) -> str:
    """The table."""
    rows = []
    for name, groups in systems.items():
        cells = [groups.get(group, {}).get(key) for group, key, _, _ in COLUMNS]
        texts = [f"{c['mean']:.{d}f}" if c else "" for c, (*_, d) in zip(cells, COLUMNS, strict=True)]
        rows.append([f"**{name}**" if name.startswith("sordino") else name, *texts])
    notes = [f"- {name}: {reason}" for name, reason in missing.items()]
    heading = ["", *(text for _, _, text, _ in COLUMNS)]
    return "\n".join(["# Echo control beside others\n", about, "", table(heading, rows), *notes, ""])


def compare(options: Options) -> dict[str, Any]:
    """Run the comparison; writes echo.json, echo.md and echo.png into the folder above options.out.

    raises  CorpusError, FileNotFoundError
    """
    from .plots import echo_over_time

    missing, names = {}, []
    for system in SYSTEMS:
        reason = install(system.package, options.peers) if system.package and not options.offline else ""
        if reason:
            missing[system.name] = reason
        else:
            names.append(system.name)
    packages = str(options.peers / "python")
    place = (str(options.cache), options.split, packages, names)
    results = []
    with workers(options.at_once()) as pool, progress("scenes", options.count) as advance:
        for found in pool.imap_unordered(_score_scene, [(options.seed, i, *place) for i in range(options.count)]):
            results.append(found)
            advance()
    systems = summarise(results)
    about = f"{options.count} scenes of {SECONDS:g} s, split {options.split}, seed {options.seed}."
    text = markdown(systems, missing, about)
    facts = {k: str(v) if isinstance(v, Path) else v for k, v in asdict(options).items()}
    report = {"options": facts, "missing": missing, "systems": systems, "scenes": sorted(results)}
    folder = options.out.parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "echo.json").write_text(json.dumps(report, indent=1) + "\n")
    (folder / "echo.md").write_text(text)
    echo_over_time(results, _STEP_S, folder / "echo.png")
    print(f"{text}\nreport: {folder / 'echo.json'}, {folder / 'echo.md'}, {folder / 'echo.png'}")
    return report
