"""The ablation: every variation of the table can be had; one is trained, scored, tabulated, and not redone."""

import json
from pathlib import Path
from typing import Any

import pytest

from train_support import require_torch, write_corpus

require_torch()

from sordino import cli  # noqa: E402
from sordino.data.cache import build_cache  # noqa: E402
from sordino.evaluation import ablation, ours  # noqa: E402
from sordino.train.config import load_config  # noqa: E402

CONFIG = """name = "small"
[network]
channels = 16
across = 16
over_time = 16
blocks = 1
[schedule]
rows = 2
late_rows = 2
late_frames = 60
processes = 1
[mixing]
frames = 60
"""
VARIATIONS = """[[variation]]
name = "post-filter once"
words = ":sharp"
[[variation]]
name = "no spectral loss"
changes = ["loss.spectral=0"]
[[variation]]
name = "twice as long"
times = 2
"""


def test_every_variation_can_be_had() -> None:
    for variation in ablation.read_table(ablation.TABLE):
        changed = load_config("standard", variation.changes) != load_config("standard")
        assert changed == bool(variation.changes), f"{variation.name} changes nothing"
        assert ours.parse(f"standard{variation.words}") != ours.parse("standard") or variation.trained()
    with pytest.raises(ValueError, match="no variation is called like 'krisp'"):
        ablation.choose(ablation.read_table(ablation.TABLE), "krisp")


def test_a_variation_is_trained_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("pesq", "pystoi", "speechmos"):
        pytest.importorskip(module, reason="scores need `pip install 'sordino[eval]'`")
    corpus = write_corpus(tmp_path / "corpus")
    build_cache(corpus, tmp_path / "cache", report=lambda line: None)
    for name, text in (("small.toml", CONFIG), ("table.toml", VARIATIONS)):
        (tmp_path / name).write_text(text)
    words = ["--table", "table.toml", "--config", "small.toml", "--train", "corpus", "--cache", "cache", "--out", "out"]
    words = [str(tmp_path / word) if not word.startswith("--") else word for word in words]
    words = ["sordino", "develop", "ablation", *words, "--count", "2", "--steps", "3", "--processes", "1"]
    monkeypatch.setattr("sys.argv", words)

    def ablate() -> dict[str, Any]:
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code
        return json.loads((tmp_path / "out" / "ablation.json").read_text())

    found = ablate()
    assert list(found["rows"]) == [
        "standard as it is",
        "post-filter once",
        f"{tmp_path / 'small.toml'} trained for 3 steps",
        "no spectral loss",
        "twice as long",
    ]
    assert len(found["differences"]) == 3 and not found["missing"]
    logs = {log.parent.name.rsplit("-", 1)[0]: log for log in (tmp_path / "out" / "runs").glob("*/log.jsonl")}
    steps = {name: json.loads(log.read_text().splitlines()[-1])["step"] for name, log in logs.items()}
    assert steps == {"base": 3, "no-spectral-loss": 3, "twice-as-long": 6}
    text = (tmp_path / "out" / "ablation.md").read_text()
    assert text.count("| no ") == 1 and text.count("as it is |") == 1
    assert (tmp_path / "out" / "ablation.png").read_bytes()[1:4] == b"PNG"
    capsys.readouterr()
    assert ablate() == found
    assert capsys.readouterr().err == "", "nothing is trained or scored again"
