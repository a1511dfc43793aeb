"""What unseen voices and noises cost: every pair of splits is judged, on the same mixtures for every model."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sordino import cli
from sordino.chain.model import NetworkShape, random_model
from sordino.formats.onnx import write_onnx
from train_support import require_torch, write_corpus

require_torch()
import torch  # noqa: E402

from sordino.data.cache import build_cache  # noqa: E402
from sordino.train import unseen  # noqa: E402
from sordino.train.config import Config  # noqa: E402
from sordino.train.recipe import Recipe  # noqa: E402

SHAPE = NetworkShape(channels=16, across=16, over_time=16, blocks=1, memory=8)
CONFIG = Config("small", SHAPE, mixing=Recipe(other_speed=0.5))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    build_cache(write_corpus(tmp_path_factory.mktemp("corpus")), folder, report=lambda line: None)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("models")
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        model = replace(random_model(SHAPE, seed=seed), record={"config": CONFIG.to_dict()})
        write_onnx(model, folder / f"{name}.onnx")
    return [folder / f"{name}.onnx" for name in ("one", "same", "other")]


def test_command(cache: Path, models: list[Path], capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["sordino", "develop", "unseen", *map(str, models), "--cache", str(cache), "--batches", "2"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert not end.value.code
    said = capsys.readouterr()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in said.out.splitlines()[2:]]
    assert [row[:3] for row in rows] == [
        [str(models[0].with_stem(name)), voices, noises]
        for name in ("one", "other", "same")
        for voices in unseen.SPLITS
        for noises in unseen.SPLITS
    ]
    one, other, same = rows[:4], rows[4:8], rows[8:]
    assert [row[1:] for row in one] == [row[1:] for row in same]
    assert all(a[3] != b[3] for a, b in zip(one, other, strict=True))
    assert len({row[3] for row in one}) == 4, "each pair of splits gives other mixtures"
    assert "voices of valid, noises of train" in said.err


def test_a_bank_holds_the_voices_of_one_split_and_the_noises_of_another(cache: Path) -> None:
    bank = unseen.load_bank(cache, "valid", CONFIG, torch.device("cpu"), noises="train")
    assert {clip.path.split("/")[1] for clip in bank.speech.clips} == {"valid"}
    assert {clip.path.split("/")[1] for shelf in (bank.noise, bank.music) for clip in shelf.clips} == {"train"}


def test_a_model_without_a_config_is_named(tmp_path: Path) -> None:
    write_onnx(random_model(SHAPE), tmp_path / "plain.onnx")
    with pytest.raises(ValueError, match=r"plain\.onnx: its record has no 'config'"):
        unseen.config_of(tmp_path / "plain.onnx")


def test_no_batches_are_refused(models: list[Path], cache: Path) -> None:
    with pytest.raises(ValueError, match="0 batches, wanted at least 1"):
        unseen.compare(models, cache, CONFIG, 0)
