"""Ablation: a table of variations goes in, each one's scores beside the model as it is come out.

`sordino develop ablation` changes what a trained model does when it runs. With --train CORPUS it also trains:
the config as it is, and once per variation of the training, each for the same minutes or steps on the same data. A run
that was interrupted goes on; what was done before is not redone.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sordino.data.manifest import manifest_sha256

from .comparison import Comparison, Place, seeded_set, workers
from .options import ClipOptions
from .report import collect, difference, heading, table
from .statistics import COMPARED
from .systems import NOISY, System, our_system

_ENDLESS = 7 * 24 * 60.0  # minutes: the steps decide
TABLE = Path(__file__).with_name("ablations.toml")


@dataclass(frozen=True)
class Options(ClipOptions):
    """What is varied.

    model    name or path
    only     parts of names, separated by commas: only those variations
    table    file of variations
    train    corpus: also train the variations of the training
    config   what is trained
    minutes  of each training
    steps    of each training, instead of minutes; 0: the minutes count
    device   of torch
    """

    model: str
    only: str | None
    table: Path
    train: Path | None
    config: str
    minutes: float
    steps: int
    device: str


@dataclass(frozen=True)
class Variation:
    """One row: what is changed when the model runs, and what when it is trained."""

    name: str
    words: str = ""
    changes: tuple[str, ...] = ()
    times: float = 1.0  # of the minutes or steps

    def trained(self) -> bool:
        """Whether it takes a training of its own."""
        return bool(self.changes) or self.times != 1


def read_table(path: Path) -> list[Variation]:
    """Read variations. Raises ValueError for a row that changes nothing or a name that comes twice."""
    found = [
        Variation(row["name"], row.get("words", ""), tuple(row.get("changes", ())), row.get("times", 1.0))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["variation"]
    ]
    for row in found:
        if not (row.words or row.trained()) or [other.name for other in found].count(row.name) > 1:
            raise ValueError(f"{path}: variation {row.name!r} changes nothing or comes twice")
    return found


def choose(variations: list[Variation], only: str | None) -> list[Variation]:
    """The variations whose names hold one of the words in `only`, separated by commas. Raises ValueError for none."""
    words = [word.strip() for word in (only or "").split(",")]
    found = [variation for variation in variations if any(word in variation.name for word in words)]
    if not found:
        raise ValueError(f"no variation is called like {only!r}; known: {', '.join(v.name for v in variations)}")
    return found


def train_variation(variation: Variation, corpus: Path, options: Options) -> Path:
    """Train a variation on a corpus unless that was done; its checkpoint."""
    from sordino.train.config import load_config
    from sordino.train.train import train

    config = load_config(options.config, variation.changes)
    manifest = corpus / "manifest.csv" if corpus.is_dir() else corpus
    amount = _amount(options, variation.times)
    facts = [config.to_dict(), amount, options.seed, manifest_sha256(manifest)]
    mark = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
    folder = options.out / "runs" / f"{re.sub(r'[^a-z0-9]+', '-', variation.name.lower())}-{mark}"
    checkpoint, done = folder / "last.pt", folder / "done"
    if not done.is_file():
        print(f"{variation.name}: {amount} in {folder}", file=sys.stderr, flush=True)
        minutes = _ENDLESS if options.steps else options.minutes * variation.times
        arguments = (config, corpus, options.cache, folder, minutes)
        train(*arguments, checkpoint.is_file(), options.device, options.seed, round(options.steps * variation.times))
        done.touch()
    return checkpoint


def _amount(options: Options, times: float = 1.0) -> str:
    """How long a training is: steps are the same on any machine, minutes are not."""
    return f"{round(options.steps * times)} steps" if options.steps else f"{options.minutes * times:g} minutes"


@dataclass(frozen=True)
class Row:
    """A variation ready to be scored, and what it is compared with."""

    name: str
    system: System
    base: System


def plan(variations: list[Variation], options: Options) -> list[Row]:
    """What is scored; trains what is to be trained."""
    model = our_system(options.model)
    rows = [Row(f"{options.model} as it is", model, model)]
    rows += [Row(v.name, our_system(f"{options.model}{v.words}"), model) for v in variations if not v.trained()]
    if options.train:
        base = our_system(str(train_variation(Variation("base"), options.train, options)))
        rows.append(Row(f"{options.config} trained for {_amount(options)}", base, base))
        for variation in (v for v in variations if v.trained()):
            trained = train_variation(variation, options.train, options)
            rows.append(Row(variation.name, our_system(f"{trained}{variation.words}"), base))
    return rows


def ablate(options: Options) -> dict[str, Any]:
    """Train, score, and write ablation.json, ablation.md and ablation.png.

    returns  what is in ablation.json
    raises   CorpusError, ValueError, FileNotFoundError
    """
    from . import plots

    rows = plan(choose(read_table(options.table), options.only), options)
    clips = seeded_set(options.out, options.cache, options.split, options.seed, options.count)
    systems = {row.system.name: row.system for row in rows}
    with workers(options.at_once()) as pool:
        results, missing = Comparison(clips, Place(options.out, options.out, options.at_once()), pool).all(
            [NOISY, *systems.values()]
        )
    parts = [case.part for case in clips.cases]
    pairs = [(row.system.name, row.base.name) for row in rows if row.system is not row.base]
    facts = {"set": clips.key, "parts": parts, "rows": {row.name: [row.system.name, row.base.name] for row in rows}}
    found = collect(results, clips.cases, missing, facts, pairs)
    text = markdown(found)
    (options.out / "ablation.json").write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    (options.out / "ablation.md").write_text(text)
    made = [options.out / f"ablation.{kind}" for kind in ("md", "json", "png")]
    print(f"{text}\nreport: {', '.join(str(path) for path in made[: 2 + plots.ablation(found, made[2])])}")
    return found


def markdown(found: dict[str, Any]) -> str:
    """One table per model that is varied: its scores, then the differences to it.

    found  as ablate returns it
    """
    count = found["systems"]["noisy"]["noisy"]["pesq"]["clips"]
    text = [
        "# Ablation\n",
        f"{count} noisy clips of {found['set']}. The first row of a table is the model as it is; below stand mean and "
        "95 % bootstrap interval of the paired difference to it, **bold** where the interval does not hold 0.\n",
    ]
    headings = ["", *(heading(metric)[0] for metric in COMPARED)]
    for first in dict.fromkeys(base for _, base in found["rows"].values()):
        cells = []
        for name, (system, base) in found["rows"].items():
            if base != first or system not in found["systems"]:
                continue
            if system == base:
                summary = found["systems"][system]["noisy"]
                cells.append(
                    [name, *(f"{summary[m]['mean']:.{heading(m)[1]}f}" if m in summary else "" for m in COMPARED)]
                )
            elif f"{system} - {base}" in found["differences"]:
                differences = found["differences"][f"{system} - {base}"]
                cells.append([name, *(difference(differences, metric) for metric in COMPARED)])
        text.append(table(headings, cells))
    text += [f"- {name}: {reason}" for name, reason in found["missing"].items()]
    return "\n".join(text)
