"""The examples run, cell by cell, and leave what they promise."""

import subprocess
import sys

import pytest

from support import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_cells(example, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(example)])
    names = {"__name__": "__main__"}
    for cell in example.read_text().split("\n# %%"):
        source = "# " + cell.lstrip("# %")
        exec(compile(source, str(example), "exec"), names)
    assert len(capsys.readouterr().out.splitlines()) >= 4


def test_the_tour_leaves_its_files(tmp_path):
    done = subprocess.run([sys.executable, ROOT / "examples" / "tour.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    wanted = {"denoised.wav", "gentle.wav", "noisy.wav", "before_and_after.png", "standard.sordino"}
    assert {path.name for path in (tmp_path / "tour").iterdir()} == wanted
