"""Why a weight file is refused: code, name in C and text, once for kernels, bindings and engines."""

from __future__ import annotations

from typing import NamedTuple


class WeightError(NamedTuple):
    """One reason: what sordino_init returns, its name without SORDINO_, what is said."""

    code: int
    name: str
    text: str


ERRORS = (
    WeightError(-1, "NOT_A_WEIGHT_FILE", "not a Sordino weight file"),
    WeightError(-2, "WRONG_VERSION", "a weight file of another format version"),
    WeightError(-3, "WRONG_SIZE", "a truncated or overlong weight file"),
    WeightError(-4, "WRONG_CHECKSUM", "a damaged weight file (wrong checksum)"),
    WeightError(-5, "UNKNOWN_NETWORK", "a weight file for a network that this build does not know"),
)
