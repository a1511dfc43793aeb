"""Calibration: a run goes in, its blends and calibrations come out, scored on `valid`, the best first.

`sordino develop calibration RUN/last.pt --blend EARLIER.onnx` tries every share of the earlier weights with
every slope, offset and smoothing of the gains' logits, in 8-bit arithmetic with post-filter, and says how the best is
made. All cost nothing at run time: they go into the weights. See blend and Calibration in sordino.train.checkpoint.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sordino.train.checkpoint import Calibration, export

from .comparison import Comparison, Place, seeded_set, workers
from .options import ClipOptions
from .report import collect, table
from .systems import NOISY, our_system

_COLUMNS = (
    ("noisy", "pesq", "PESQ", 3),
    ("noisy", "ovrl", "OVRL", 3),
    ("noisy", "estoi", "ESTOI", 3),
    ("noisy", "si_sdr_db", "SI-SDR dB", 2),
    ("noisy", "pause_reduction_db", "pauses quieter by dB", 1),
    ("clean", "pesq", "clean speech PESQ", 2),
    ("clean", "level_change_db", "clean speech level dB", 2),
    ("onsets", "onsets_heard", "onsets kept", 2),
)


@dataclass(frozen=True)
class Options(ClipOptions):
    """What is tried.

    source                       checkpoint of a run (.pt), or a finished model (.onnx)
    blend                        what the run started from; None: nothing is blended
    shares                       of the earlier weights
    slopes, offsets, smoothings  see Calibration
    """

    source: Path
    blend: Path | None
    shares: Sequence[float]
    slopes: Sequence[float]
    offsets: Sequence[float]
    smoothings: Sequence[float]


@dataclass(frozen=True)
class Candidate:
    """One way to finish a run."""

    share: float  # of the earlier weights
    calibration: Calibration

    def name(self) -> str:
        """For files and tables."""
        values = asdict(self.calibration).items()
        return "-".join([f"blend{self.share:g}", *(f"{name}{value:g}" for name, value in values)])

    def words(self, source: Path, out: str, earlier: Path | None) -> str:
        """The command that makes it."""
        blend = f" --blend {earlier}={self.share:g}" if self.share else ""
        values = asdict(self.calibration).items()
        calibration = "".join(f" --gain-{name} {value:g}" for name, value in values)
        return f"sordino develop finish {source} {out}{blend}{calibration}"


def candidates(options: Options) -> list[Candidate]:
    """Every combination; without an earlier run there is nothing to blend."""
    shares = options.shares if options.blend else (0.0,)
    moves = [Calibration(*values) for values in itertools.product(options.slopes, options.offsets, options.smoothings)]
    return [Candidate(share, move) for share, move in itertools.product(shares, moves)]


def mean(found: dict[str, Any], name: str, part: str, metric: str) -> float:
    """A mean of what collect found; nan where nothing was measured."""
    summary = found["systems"][name][part] or {}
    return float(summary.get(metric, {}).get("mean", float("nan")))


def calibrate(options: Options) -> dict[str, Any]:
    """Make and score all candidates; write calibration.json and calibration.md.

    returns  what is in calibration.json, the names under "order" by PESQ + OVRL, best first
    raises   CorpusError, ValueError, FileNotFoundError
    """
    folder = options.out / "candidates"
    folder.mkdir(parents=True, exist_ok=True)
    made = {}
    for candidate in candidates(options):
        path = folder / f"{candidate.name()}.onnx"
        blends = [(options.blend, candidate.share)] if options.blend and candidate.share else []
        export(options.source, path, candidate.calibration, blends)
        made[our_system(str(path)).name] = candidate
    clips = seeded_set(options.out, options.cache, options.split, options.seed, options.count)
    with workers(options.at_once()) as pool:
        results, missing = Comparison(clips, Place(options.out, options.out, options.at_once()), pool).all(
            [NOISY, *map(our_system, made)]
        )
    found = collect(results, clips.cases, missing, {"set": clips.key}, [])
    scores = {name: mean(found, name, "noisy", "pesq") + mean(found, name, "noisy", "ovrl") for name in made}
    found["order"] = sorted(made, key=lambda name: -scores[name])
    rows = [
        [made[name].name(), f"{scores[name]:.3f}"]
        + [f"{mean(found, name, part, metric):.{digits}f}" for part, metric, _, digits in _COLUMNS]
        for name in found["order"]
    ]
    text = table(["", "PESQ + OVRL", *(title for _, _, title, _ in _COLUMNS)], rows)
    (options.out / "calibration.json").write_text(json.dumps(found, indent=1) + "\n")
    (options.out / "calibration.md").write_text(f"# Calibration on {clips.key}\n\n{text}")
    best = made[found["order"][0]]
    print(f"{text}\nthe first is made by\n    {best.words(options.source, 'MODEL.onnx', options.blend)}")
    return found
