"""Config: a TOML file goes in, the sizes of the network and the settings of a training run come out."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from sordino.chain.model import NetworkShape
from sordino.chain.params import MAX_LOOK_AHEAD
from sordino.train.loss import LossWeights
from sordino.train.recipe import Recipe


@dataclass(frozen=True)
class Schedule:
    """How the steps are taken."""

    rows: int = 16  # signals per step and process
    late_rows: int = 12
    gpu_rows: int = 192  # the same on a GPU
    gpu_late_rows: int = 96
    late_frames: int = 400  # hops per signal in the last part of the run
    late_from: float = 0.6  # part of the run
    carry: float = 0.0  # chance that a signal begins in the state in which the one before it ended
    shorter_look_ahead: float = 0.0  # chance that a mixture is heard with fewer frames of look-ahead
    echo: int = 2  # times that each mixture is used
    pool: int = 10  # mixtures kept for that
    learning_rate: float = 1.5e-3
    final_rate: float = 2e-5
    warm_up_steps: int = 150
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    ema_decay: float = 0.999
    qat_from: float = 0.8  # part of the run after which weights and activations are quantised
    processes: int = 2  # on a CPU; one on a GPU
    validate_minutes: float = 4.0


@dataclass(frozen=True)
class Data:
    """Which clips may be used."""

    exclude_speech: tuple[str, ...] = ()
    exclude_noise: tuple[str, ...] = ()
    snr_floor_db: float = 30.0
    voice_limit: float = 1.0  # noise of which a detector takes more than this for speech is left out


@dataclass(frozen=True)
class Config:
    """Everything that defines a training run besides corpus, seed and minutes."""

    name: str
    network: NetworkShape
    look_ahead: int = MAX_LOOK_AHEAD  # frames
    schedule: Schedule = field(default_factory=Schedule)
    mixing: Recipe = field(default_factory=Recipe)
    loss: LossWeights = field(default_factory=LossWeights)
    data: Data = field(default_factory=Data)

    def to_dict(self) -> dict[str, Any]:
        """Return nested dicts of plain values, as from_dict takes them."""
        values = asdict(self)
        values["network"]["look_ahead"] = values.pop("look_ahead")
        return values


def _section(kind: type, values: dict[str, Any]) -> Any:
    known = [f.name for f in fields(kind)]
    unknown = set(values) - set(known)
    if unknown:
        raise ValueError(f"{kind.__name__}: unknown settings {sorted(unknown)}, known are {known}")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


_KINDS = {"network": NetworkShape, "schedule": Schedule, "mixing": Recipe, "loss": LossWeights, "data": Data}


def from_dict(values: dict[str, Any]) -> Config:
    """Build a Config from nested dicts.

    values   sections network, schedule, mixing, loss, data and the key name
    raises   ValueError for a setting that does not exist
    """
    unknown = set(values) - set(_KINDS) - {"name"}
    if unknown:
        raise ValueError(f"unknown sections {sorted(unknown)}, known are {sorted(_KINDS)}")
    network = dict(values["network"])
    look_ahead = network.pop("look_ahead", MAX_LOOK_AHEAD)
    sections = {key: part for key, part in (values | {"network": network}).items() if key in _KINDS}
    parts = {key: _section(_KINDS[key], part) for key, part in sections.items()}
    return Config(values["name"], look_ahead=look_ahead, **parts)


def from_record(values: dict[str, Any]) -> Config:
    """Build a Config from what a checkpoint or a model keeps of it.

    values   as to_dict gave them, maybe in another version: settings of the training that this one lacks are left out
    raises   ValueError for a network of other sizes
    """
    known = {key: {f.name for f in fields(kind)} for key, kind in _KINDS.items() if key != "network"}
    kept = {key: {k: v for k, v in values[key].items() if k in names} for key, names in known.items() if key in values}
    return from_dict(values | kept)


def load_config(path_or_name: str | Path, changes: Sequence[str] = ()) -> Config:
    """Read a config file, or one of the package's by its name (tiny, standard, full).

    changes  settings that differ, as "section.key=value" with the value in TOML
    raises   ValueError for a missing file, a setting that does not exist, a change that cannot be read
    """
    path = Path(path_or_name)
    if path.suffix != ".toml":
        path = Path(__file__).parent / "configs" / f"{path_or_name}.toml"
    if not path.is_file():
        raise ValueError(f"no config at {path}")
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    for change in changes:
        section, dot, setting = change.partition(".")
        if not dot or "=" not in setting:
            raise ValueError(f"change {change!r}, wanted section.key=value, such as schedule.learning_rate=1e-3")
        values.setdefault(section, {}).update(tomllib.loads(setting))
    return from_dict(values)
