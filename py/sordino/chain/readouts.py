"""The read-outs: what a stream says of the frame just given out. One table for reference, C, bindings and engines.

To add one: a line here, a line in `tell` (pipeline.py and wasm/pipeline.c), a field in run.engines.Decision and
_native.pyi; `sordino export --generate wasm` writes the C declarations.
"""

from __future__ import annotations

from dataclasses import dataclass

from .params import BANDS, PERIOD_MAX, PERIOD_MIN


@dataclass(frozen=True)
class ReadOut:
    """One read-out.

    name     in Python, C (sordino_NAME) and messages
    count    numbers, float32; 1 is a number alone, more is a list
    unit     empty where it has none
    meaning  what it is, with its range
    """

    name: str
    count: int
    unit: str
    meaning: str


READOUTS = (
    ReadOut("voice", 1, "", "speech probability, 0..1"),
    ReadOut("gains", BANDS, "", "network's amplitude gain per band, 0..1, before post-filter and attenuation limit"),
    ReadOut("strengths", BANDS, "", "share of the comb-filtered spectrum per band, 0..1"),
    ReadOut("pitch_period", 1, "samples", f"pitch period at 48 kHz, {PERIOD_MIN}..{PERIOD_MAX}"),
    ReadOut("pitch_correlation", 1, "", "correlation at the pitch period, 0..1"),
)
