"""Pruning while training: which blocks go, when they go, and that the kernels' weight file finds them gone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from train_support import require_torch, write_corpus

require_torch()
from sordino.chain.model import NetworkShape  # noqa: E402
from sordino.formats.onnx import read_onnx  # noqa: E402
from sordino.formats.pruning import strongest_blocks  # noqa: E402
from sordino.formats.weight_file import sparse_blocks  # noqa: E402
from sordino.train.checkpoint import export  # noqa: E402
from sordino.train.config import Config, Schedule  # noqa: E402
from sordino.train.prune import density_at  # noqa: E402
from sordino.train.recipe import Recipe  # noqa: E402
from sordino.train.train import train  # noqa: E402


def test_density_falls_once_from_one_to_the_wanted() -> None:
    found = [density_at(k / 20, 0.2, 0.7, 0.3) for k in range(21)]
    assert found[:5] == [1.0] * 5
    assert found[14:] == [pytest.approx(0.3)] * 7
    assert found == sorted(found, reverse=True)


def test_the_strongest_blocks_stay() -> None:
    weight = np.full((16, 8), 0.1, np.float32)
    weight[8:, 4:] = 0.2
    weight[:8, :4] = 0.15
    mask = strongest_blocks(weight, 0.5)
    assert mask[8:, 4:].all() and mask[:8, :4].all()
    assert mask.sum() == 64


@pytest.mark.parametrize("shape", [(24, 12), (16, 8, 3), (20, 10)])
def test_the_share_of_blocks_is_kept(shape: tuple[int, ...]) -> None:
    weight = np.random.default_rng(1).standard_normal(shape, np.float32)
    assert strongest_blocks(weight, 1.0).all()
    assert not strongest_blocks(weight, 0.0).any()
    assert 0.3 < strongest_blocks(weight, 0.5).mean() < 0.7


def test_a_pruned_training_gives_a_sparse_weight_file(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus")
    schedule = Schedule(rows=2, late_rows=2, late_frames=80, echo=2, warm_up_steps=2, processes=1, validate_minutes=60)
    schedule = replace(schedule, prune_density=0.25, prune_from=0.0, prune_until=0.5)
    shape = NetworkShape(fc=16, conv1=16, conv2=16, gru=16, gru_layers=1, gain_gru=16, strength_gru=16)
    config = Config("small", shape, schedule=schedule, mixing=Recipe(frames=60))
    train(config, corpus, tmp_path / "cache", tmp_path / "run", minutes=60, max_steps=45)
    export(tmp_path / "run" / "last.pt", tmp_path / "small.onnx")
    sparse = sparse_blocks(read_onnx(tmp_path / "small.onnx"))
    expected = {"conv1", "conv2"} | {f"{gru}_{part}" for gru, *_ in shape.grus() for part in ("input", "state")}
    assert set(sparse) == expected
    assert sparse["conv1"] == 16 * 80 // 32 // 4
