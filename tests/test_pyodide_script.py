"""The Pyodide build script: it says what a machine lacks, and the cross-build environment is put together right."""

import importlib
import json
import sys
import zipfile

import pytest

from support import ROOT


@pytest.fixture
def scripts(monkeypatch):
    """The modules of py/package by name, imported for this test only."""
    monkeypatch.syspath_prepend(str(ROOT / "py" / "package"))
    names = ("wheel", "xbuildenv", "pyodide")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield {name: importlib.import_module(name) for name in names}
    for name in names:
        sys.modules.pop(name, None)


def test_what_is_missing_is_named_all_at_once(scripts, monkeypatch, tmp_path):
    pyodide = scripts["pyodide"]
    monkeypatch.setattr(pyodide.shutil, "which", lambda name: None)
    monkeypatch.setattr(pyodide.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(pyodide, "DEBIAN", tmp_path / "none")
    with pytest.raises(pyodide.Missing) as missing:
        pyodide.check()
    for word in ("root", "npm", "debootstrap", "SORDINO_DEBIAN"):
        assert word in str(missing.value)


def test_another_emscripten_is_named(scripts, monkeypatch):
    pyodide = scripts["pyodide"]
    monkeypatch.setattr(pyodide, "enter", lambda script: "emcc (Emscripten gcc/clang-like replacement) 7.1.2 ()")
    runtime = scripts["xbuildenv"].Runtime("315.0.0", "3.15.0", "6.0.5", "2026_5")
    with pytest.raises(pyodide.Missing, match=r"Emscripten 6\.0\.5 .* has 7\.1\.2.*emscripten_7_1_2"):
        pyodide.check_emscripten(runtime)


def test_the_cross_build_environment(scripts, tmp_path):
    npm, headers = tmp_path / "npm", tmp_path / "python3.15"
    npm.mkdir()
    headers.mkdir()
    (headers / "Python.h").write_text("/* Python */")
    (headers / "pyconfig.h").write_text("#define SIZEOF_LONG 8\n/* #undef HAVE_FORK */\n#define HAVE_MMAP 1\n")
    variables = {"SIZEOF_LONG": 4, "HAVE_FORK": 0, "HAVE_MMAP": 1, "HAVE_OTHER": "yes it is", "PY_NAME": '"cpython"'}
    with zipfile.ZipFile(npm / "python_stdlib.zip", "w") as library:
        library.writestr(f"{scripts['xbuildenv'].SYSCONFIG}.py", f"build_time_vars = {variables!r}")
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm"):
        (npm / name).write_text(name)
    info = {"python": "3.15.0", "platform": "emscripten_6_0_5", "abi_version": "2026_5"}
    (npm / "pyodide-lock.json").write_text(json.dumps({"info": info}))
    (npm / "package.json").write_text(json.dumps({"version": "315.0.0"}))
    runtime = scripts["xbuildenv"].assemble(npm, headers, headers / "pyconfig.h", tmp_path / "out")
    assert (runtime.minor, runtime.emscripten) == ("3.15", "6.0.5")
    root = tmp_path / "out" / "xbuildenv" / "pyodide-root"
    include = root / "cpython" / "installs" / "python-3.15.0" / "include" / "python3.15"
    defined = [line for line in (include / "pyconfig.h").read_text().splitlines() if line.startswith("#define ")]
    assert defined[1:] == ["#define HAVE_MMAP 1", '#define PY_NAME "cpython"', "#define SIZEOF_LONG 4"]
    assert "PYODIDE_EMSCRIPTEN_VERSION ?= 6.0.5" in (root / "Makefile.envs").read_text()
    with pytest.raises(ValueError, match=r"wanted python3\.15"):
        scripts["xbuildenv"].assemble(npm, tmp_path, headers / "pyconfig.h", tmp_path / "again")
