"""The packages as users get them: in an empty environment without a compiler the wheel denoises; the sdist is whole."""

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from email import message_from_bytes

import numpy as np
import pytest
import soundfile

import sordino
from golden.signals import recordings
from sordino.chain.params import VERSION
from support import ROOT, unavailable

DIST = ROOT / "dist"


def one(pattern):
    found = sorted(DIST.glob(pattern))
    if not found:
        unavailable(f"no {pattern} in dist; `python3 build.py wheel` makes it")
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="module")
def wheel():
    return one("*.whl")


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """bin of an environment that holds the wheel and what it depends on, nothing else."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False)
    pip = [sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "-q", "--no-compile", wheel], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return home / "bin"


def bare(program, *arguments, **options):
    """Run it with a PATH that has no compiler, away from the repository."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {"PATH": str(program.parent)}
    return subprocess.run([program, *map(str, arguments)], capture_output=True, env=environment, **options)


def test_the_wheel_denoises(installed, tmp_path, record_property):
    clip = next(iter(recordings().values()))[:96_000]
    soundfile.write(tmp_path / "in.wav", clip, 48_000, subtype="FLOAT")
    done = bare(installed / "sordino", "denoise", tmp_path / "in.wav", tmp_path / "out.wav", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["done"] == 1
    got, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert np.abs(got - sordino.denoise(clip, 48_000)).max() <= 2**-23
    help_ = bare(installed / "sordino", "--version", cwd=tmp_path)
    assert help_.stdout.decode().strip() == VERSION


def test_the_wheel_gives_the_bytes_of_this_tree(installed, tmp_path):
    clip = next(iter(recordings().values()))[:48_000]
    clip.tofile(tmp_path / "in.f32")
    code = "import numpy, sordino; x = numpy.fromfile('in.f32', 'f4'); sordino.denoise(x, 44100).tofile('out.f32')"
    done = bare(installed / "python", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.f32").read_bytes() == sordino.denoise(clip, 44_100).tobytes()


def test_what_is_an_extra_says_so(installed, tmp_path):
    soundfile.write(tmp_path / "in.wav", np.zeros(480), 48_000)
    for arguments, extra in (
        (["denoise", "in.wav", "a.wav", "--engine", "wasm"], b"sordino[wasm]"),
        (["denoise", "in.wav", "a.wav", "--engine", "reference"], b"sordino[onnx]"),
        (["compare", "in.wav", "a.png"], b"sordino[plot]"),
        (["info"], b"sordino[onnx]"),
        (["export"], b"sordino[onnx]"),
        (["train", ".", "out"], b"sordino[train]"),
    ):
        done = bare(installed / "sordino", *arguments, cwd=tmp_path)
        assert (done.returncode, extra in done.stderr) == (1, True), (arguments, done.stderr)
        assert b"Traceback" not in done.stderr


def test_the_wheel_says_what_it_is(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        meta = message_from_bytes(archive.read(next(n for n in names if n.endswith("/METADATA"))))
    assert (meta["Name"], meta["Version"], meta["Requires-Python"]) == ("sordino", VERSION, ">=3.11")
    always = [r for r in meta.get_all("Requires-Dist") if "extra ==" not in r]
    assert sorted(r.split(">")[0] for r in always) == ["av", "numpy", "rich", "soundfile", "typer"]
    assert {"train", "eval", "onnx", "wasm", "plot"} <= set(meta.get_all("Provides-Extra"))
    assert not [n for n in names if n.startswith("tests") or n.endswith((".pyc", ".c"))]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc")
def test_the_extension_runs_on_old_systems(wheel, tmp_path):
    """No symbol newer than manylinux_2_17 promises, no C++ library to be found first."""
    import re

    with zipfile.ZipFile(wheel) as archive:
        module = archive.read(next(n for n in archive.namelist() if "_native" in n and n.endswith(".so")))
    versions = {tuple(map(int, v.split(b"."))) for v in re.findall(rb"GLIBC_(\d+\.\d+)", module)}
    assert "manylinux_2_17" in wheel.name
    assert max(versions) <= (2, 17)
    assert b"libstdc++.so" not in module
    assert b"libc++.so" not in module


def test_the_sdist_holds_the_sources():
    with tarfile.open(one("*.tar.gz")) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    tracked = subprocess.run(["git", "ls-files", "wasm", "py/sordino"], cwd=ROOT, capture_output=True, text=True)
    wanted = {"setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", *tracked.stdout.split()}
    assert wanted - names == set()
    assert not [n for n in names if n.endswith((".so", ".pyc", ".o"))]
