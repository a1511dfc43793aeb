"""build.py: steps run once and again only for a reason; the page is served with the types that browsers insist on."""

import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from builder import steps
from builder.programs import run
from support import ROOT


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    monkeypatch.setattr(steps, "BUILD", tmp_path / "build")
    (tmp_path / "input").write_text("one")
    return tmp_path


def copy_step(workshop: Path, *notes: str) -> bool:
    """A step that copies input to output; returns whether it ran."""
    ran = []

    def copy() -> None:
        ran.append(True)
        (workshop / "output").write_text((workshop / "input").read_text())

    steps.step("copy", copy, [workshop / "input"], [workshop / "output"], *notes)
    return bool(ran)


def test_a_step_runs_once(workshop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert copy_step(workshop)
    assert not copy_step(workshop)
    assert "up to date" in capsys.readouterr().out


def test_a_step_runs_again_for_another_input_flag_or_output(workshop: Path) -> None:
    assert copy_step(workshop)
    (workshop / "input").write_text("two")
    assert copy_step(workshop)
    assert copy_step(workshop, "-O2")
    (workshop / "output").write_text("touched by hand")
    assert copy_step(workshop, "-O2")
    (workshop / "output").unlink()
    assert copy_step(workshop, "-O2")
    assert not copy_step(workshop, "-O2")


def test_a_step_that_failed_runs_again(workshop: Path) -> None:
    assert copy_step(workshop)
    (workshop / "input").write_text("two")
    with pytest.raises(ZeroDivisionError):
        steps.step("copy", lambda: 1 / 0, [workshop / "input"], [workshop / "output"])
    assert copy_step(workshop)


def test_a_step_without_its_output_is_a_failure(workshop: Path) -> None:
    with pytest.raises(steps.Failure, match="nowhere"):
        steps.step("lazy", lambda: None, [], [workshop / "nowhere"])


def test_a_command_that_fails_is_quoted() -> None:
    with pytest.raises(steps.Failure, match=r"status 3 from: .*\nso it goes"):
        run(sys.executable, "-c", "print('so it goes'); raise SystemExit(3)")


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], ["demo", "--help"], ["test", "--help"]])
def test_help(arguments: list[str], tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "build.py", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert b"usage: build.py" in done.stdout


def test_demo_takes_the_next_port_and_names_the_types() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        script = f"import build; build.demo({port}, False)"
        command = [sys.executable, "-u", "-c", script]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
            try:
                said = [server.stdout.readline()]
                while "http://" not in said[-1] and said[-1]:
                    said.append(server.stdout.readline())
                assert f"port {port}" in said[0]
                address = re.search(r"http://127\.0\.0\.1:\d+/", said[-1]).group()
                types = {
                    "": "text/html",
                    "main.js": "text/javascript",
                    "sordino/sordino.simd128.wasm": "application/wasm",
                    "sordino/models/standard.sordino": "application/octet-stream",
                }
                for path, wanted in types.items():
                    with urllib.request.urlopen(address + path) as answer:
                        assert answer.headers.get_content_type() == wanted, path
            finally:
                server.terminate()
