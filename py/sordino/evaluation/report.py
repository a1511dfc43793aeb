"""Report: summaries of every system go in, a JSON-ready dictionary and a Markdown text come out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from .running import Manner, in_node
from .statistics import (
    COMPARED,
    GOOD_OVRL,
    Ratings,
    Scores,
    Summary,
    Voices,
    differences,
    of_good_recordings,
    summaries,
    sure,
    suspicion,
)
from .systems import CLEAN, System
from .testset import NOISY_PARTS, Case

MAIN = {
    "pesq": ("PESQ", 2),
    "stoi": ("STOI", 3),
    "estoi": ("ESTOI", 3),
    "si_sdr_db": ("SI-SDR dB", 1),
    "sig": ("SIG", 2),
    "bak": ("BAK", 2),
    "ovrl": ("OVRL", 2),
    "lsd_db": ("LSD dB", 1),
    "visqol": ("ViSQOL", 2),
}
"""Scores of noisy speech: heading and digits."""
HARM = (
    ("onsets", "onsets_heard", "onsets kept within 2 dB (5..15 dB)", 2),
    ("onsets", "clear_onsets_heard", "of words that begin 10 dB above the noise", 2),
    ("onsets", "onsets_kept_db", "onset dB (5..15 dB)", 1),
    ("noisy", "fricatives_kept_db", "s, f, p above 4 kHz dB", 1),
    ("noisy", "speech_kept_db", "speech dB", 1),
    ("noisy", "pause_reduction_db", "pauses quieter by dB", 1),
    ("noisy", "residual_db", "left in pauses dB", 1),
    ("clean", "pesq", "clean speech PESQ", 2),
    ("clean", "level_change_db", "clean speech level dB", 2),
    ("clean", "ovrl", "clean speech OVRL", 2),
    ("music alone", "music_change_db", "music alone dB", 1),
)
"""Further measures: summary, metric, heading, digits."""
STRANGERS = (
    *(("noisy", metric, *MAIN[metric]) for metric in ("pesq", "estoi", "si_sdr_db", "ovrl", "bak")),
    ("noisy", "fricatives_kept_db", "s, f, p above 4 kHz dB", 1),
    ("onsets", "onsets_heard", "onsets kept within 2 dB (5..15 dB)", 2),
    ("clean", "pesq", "clean speech PESQ", 2),
)
"""Of voices that no model of ours has met."""
_OF_VOICES = (
    ("PESQ by voice", ["by_voice"], "pesq", 2),
    ("ESTOI by voice", ["by_voice"], "estoi", 3),
    ("PESQ by language", ["by_language"], "pesq", 2),
    ("ESTOI by language", ["by_language"], "estoi", 3),
)
_OF_SET = (
    ("PESQ by signal to noise ratio", ["by_snr"], "pesq", 2),
    ("ESTOI by signal to noise ratio", ["by_snr"], "estoi", 3),
    ("PESQ by part and, of the plain part, by noise", ["by_part", "by_kind"], "pesq", 2),
    ("OVRL by part and, of the plain part, by noise", ["by_part", "by_kind"], "ovrl", 2),
    ("PESQ of the plain part by recording", ["by_recording"], "pesq", 2),
    ("ESTOI of the plain part by recording", ["by_recording"], "estoi", 3),
    ("OVRL of the plain part by recording", ["by_recording"], "ovrl", 2),
    *_OF_VOICES,
    ("Onsets kept within 2 dB (5..15 dB) by part", ["onsets_by_part"], "onsets_heard", 2),
)
"""Title, groupings, score and digits of the tables by group."""


@dataclass(frozen=True)
class Result:
    """One system with its scores."""

    system: System
    scores: Scores
    manner: Manner


def clean_ratings(results: list[Result]) -> Ratings:
    """OVRL of the recordings before any noise is added: from the scores of CLEAN, empty if it is not among them."""
    scored = (item for result in results if result.system.name == CLEAN for item in result.scores.items())
    return {index: found["ovrl"] for index, found in scored if found.get("ovrl") is not None}


def collect(
    results: list[Result],
    cases: list[Case],
    missing: dict[str, str],
    facts: dict[str, Any],
    pairs: list[tuple[str, str]] | None = None,
    ratings: Ratings | None = None,
    voices: Voices | None = None,
) -> dict[str, Any]:
    """Everything that was found, ready for JSON.

    results  systems in the order they were scored; the first one is the noisy input
    cases    the test set
    missing  systems that could not be had, with the reason
    facts    what else belongs into the record
    pairs    names of systems whose differences are wanted, one minus other; none given: see telling_pairs
    ratings  OVRL of the clean recordings; with them, clips of good recordings are summed up by themselves too
    voices   traits of the voices; with them, their groups are summed up too
    """
    noisy = summaries(results[0].scores, cases)["noisy"]
    systems = {}
    for result in results:
        found = summaries(result.scores, cases, ratings, voices)
        doubt = suspicion(found["noisy"], noisy) if result.system.family == "peer" and found["noisy"] else ""
        systems[result.system.name] = {**_facts(result), "suspicion": doubt, **found}
    chosen = telling_pairs([result.system for result in results]) if pairs is None else pairs
    scores = {result.system.name: result.scores for result in results}
    good = of_good_recordings(cases, ratings or {})

    def beside(some: list[Case]) -> dict[str, Summary]:
        return {f"{a} - {b}": differences(scores[a], scores[b], some) for a, b in chosen if {a, b} <= scores.keys()}

    compared = {"differences": beside(cases), "differences_good": beside(good)}
    return {**facts, "missing": missing, "systems": systems, **compared}


def _facts(result: Result) -> dict[str, Any]:
    """What a system is and how it ran."""
    system, manner = result.system, result.manner
    return {
        "title": system.title,
        "family": system.family,
        "package": asdict(system.package) if system.package else None,
        "lag_samples": manner.lag,
        "latency_ms": system.latency_ms(manner.lag) if system.streams else None,
        "cost": None if math.isnan(manner.cost) else manner.cost,
        "runs_in": "Node" if in_node(system) else "Python",
    }


def telling_pairs(systems: list[System]) -> list[tuple[str, str]]:
    """Each int8 model of ours beside every system of others; float beside int8; with beside without post-filter."""
    whole = [system for system in systems if set(NOISY_PARTS) <= set(system.parts)]
    ours = [system.name for system in whole if system.family == "ours"]
    pairs = [(a, b.name) for a in ours if "float" not in a.split(":") for b in whole if b.family != "ours"]
    pairs += [(a, f"{a.split(':')[0]}:float{a.removeprefix(a.split(':')[0])}") for a in ours]
    pairs += [(a, f"{a}:sharp") for a in ours]
    names = {system.name for system in whole}
    return [pair for pair in pairs if set(pair) <= names]


def cell(summary: Summary, metric: str, digits: int, spread: bool = True) -> str:
    """A mean and, where wanted, half its interval; nothing where there is no value."""
    value = summary.get(metric)
    if not value:
        return ""
    if metric in ("onsets_heard", "clear_onsets_heard"):
        return f"{100 * value['mean']:.0f} %"
    text = f"{value['mean']:.{digits}f}"
    return f"{text} ±{(value['high'] - value['low']) / 2:.{digits}f}" if spread else text


def table(heading: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [list(heading), *(list(row) for row in rows)]
    used = [i for i in range(len(cells[0])) if i == 0 or any(row[i] for row in cells[1:])]
    lines = ["| " + " | ".join(row[i] for i in used) + " |" for row in cells]
    lines.insert(1, "|---" + "|--:" * (len(used) - 1) + "|")
    return "\n".join(lines) + "\n"


def _ordered(systems: dict[str, Any], partial: bool) -> list[dict[str, Any]]:
    """Systems that heard all the clips (or the others), best PESQ first."""
    most = max(system["noisy"].get("pesq", {}).get("clips", 0) for system in systems.values())
    chosen = [s for s in systems.values() if (s["noisy"].get("pesq", {}).get("clips", 0) < most) == partial]
    return sorted(chosen, key=lambda s: -s["noisy"].get("pesq", {}).get("mean", 0))


def _title(system: dict[str, Any]) -> str:
    return f"**{system['title']}**" if system["family"] == "ours" else system["title"]


def _grouped(systems: list[dict[str, Any]], where: list[str], metric: str, digits: int) -> str:
    labels = [(part, label) for part in where for label in systems[0][part]]
    heading = ["", *(label for _, label in labels)]
    rows = ([_title(s), *(cell(s[part].get(label, {}), metric, digits) for part, label in labels)] for s in systems)
    return table(heading, rows)


def _by_group(systems: list[dict[str, Any]], groups: Iterable[tuple[str, list[str], str, int]]) -> list[str]:
    """A titled table for each of (title, groupings, score, digits) for which there is anything."""
    return [
        text
        for title, where, metric, digits in groups
        if any(systems[0][part] for part in where)
        for text in (f"## {title}\n", _grouped(systems, where, metric, digits))
    ]


def _strangers(found: dict[str, Any]) -> list[str]:
    """The sets of voices that no model of ours has met, each with its scores."""
    text = []
    for part in found.get("strangers", []):
        systems = _ordered(part["systems"], partial=False)
        rows = (
            [_title(s), *(cell(s[where], metric, digits) for where, metric, _, digits in STRANGERS)] for s in systems
        )
        text += [f"## {part['title']}\n", f"{part['about']}\n", table(["", *(h for _, _, h, _ in STRANGERS)], rows)]
        told = [group for group in _OF_VOICES if len(systems[0][group[1][0]]) > 1]
        text += [line.replace("## ", "### ") for line in _by_group(systems, told)]
    return text


def _about(found: dict[str, Any]) -> str:
    parts = Counter(found["parts"])
    noisy_clips = sum(parts[part] for part in NOISY_PARTS)
    return (
        f"{noisy_clips} clips of noisy speech ({', '.join(f'{parts[part]} {part}' for part in NOISY_PARTS)}), "
        f"{parts['clean']} of clean speech, {parts['music alone']} of music alone; {found['seconds']:g} s each, "
        f"speech at -5..20 dB, set {found['set']}. ± is half the 95 % bootstrap interval. "
        "Latency: as measured, in a page with quanta of 128 samples.\n"
    )


def _main_table(systems: list[dict[str, Any]]) -> str:
    rows = (
        [
            _title(s),
            *(cell(s["noisy"], metric, digits) for metric, (_, digits) in MAIN.items()),
            "" if s["latency_ms"] is None else f"{s['latency_ms']:.1f}",
        ]
        for s in systems
    )
    return table(["", *(heading for heading, _ in MAIN.values()), "latency ms"], rows)


def _harm_table(systems: list[dict[str, Any]]) -> str:
    rows = (
        [_title(s), *(cell(s[where], metric, digits, spread=False) for where, metric, _, digits in HARM)]
        for s in systems
    )
    return table(["", *(heading for _, _, heading, _ in HARM)], rows)


def _difference_table(differences: dict[str, Any]) -> str:
    rows = (
        [name, str(d["pesq"]["clips"]), *(difference(d, metric) for metric in COMPARED)]
        for name, d in differences.items()
        if d.get("pesq")
    )
    return table(["", "clips", *(heading(metric)[0] for metric in COMPARED)], rows)


def markdown(found: dict[str, Any]) -> str:
    """The tables.

    found  as collect returns it
    """
    systems = _ordered(found["systems"], partial=False)
    text = ["# Sordino beside its peers\n", *_strangers(found)]
    text += ["## The test split of the corpus: noisy speech\n", _about(found), _main_table(systems)]
    text += ["## What users complain about\n", _harm_table([*systems, *_ordered(found["systems"], partial=True)])]
    text += _by_group(systems, _OF_SET)
    text += [
        "## Differences on the same clips\n",
        "Mean and 95 % bootstrap interval of the paired difference; **bold**: the interval does not hold 0.\n",
        _difference_table(found["differences"]),
    ]
    if any(found["differences_good"].values()):
        about = f"Good recordings: DNSMOS rates the clean one {GOOD_OVRL:g} or more (OVRL), and the noise is plain.\n"
        text += ["## Differences on good recordings\n", about, _difference_table(found["differences_good"])]
    notes = [f"- {s['title']}: {s['suspicion']}" for s in found["systems"].values() if s["suspicion"]]
    notes += [f"- {name}: {reason}" for name, reason in found["missing"].items()]
    return "\n".join([*text, *(["## Not compared, or not to be trusted\n", *notes, ""] if notes else [])])


def heading(metric: str) -> tuple[str, int]:
    """What the tables call a score, and its digits."""
    return MAIN[metric] if metric in MAIN else next((text, digits) for _, m, text, digits in HARM if m == metric)


def difference(summary: Summary, metric: str) -> str:
    """A mean difference with its interval; bold where that does not hold 0 and rests on enough clips."""
    value = summary.get(metric)
    if not value:
        return ""
    digits = max(heading(metric)[1], 2)
    text = f"{value['mean']:+.{digits}f} ({value['low']:+.{digits}f}..{value['high']:+.{digits}f})"
    return f"**{text}**" if sure(value) else text
