"""Assemble the cross-build environment that pyodide-build wants, from what package registries offer.

Pyodide publishes it on a file server that not every machine reaches. All it holds that compiling an extension needs is
in the npm package and in Debian's headers of the same Python: the C headers are the same on every platform but for
pyconfig.h, and that follows from the build-time variables inside the npm package's standard library.

    xbuildenv/pyodide-root/Makefile.envs        compiler flags and versions
    xbuildenv/pyodide-root/cpython/installs/    headers, sysconfigdata
    xbuildenv/pyodide-root/dist/                the runtime
"""

from __future__ import annotations

import json
import re
import runpy
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

SYSCONFIG = "_sysconfigdata__emscripten_wasm32-emscripten"
PROGRAM = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
RUNTIME = (*PROGRAM, "pyodide-lock.json", "package.json")
MACROS = r"(HAVE_|SIZEOF_|ALIGNOF_|_Py_|Py_|PY_|WITH_|ENABLE_|MAJOR_|_?[A-Z]+_SOURCE)"
MAKEFILE = """\
export PYVERSION ?= {python}
export PYMAJOR = {major}
export PYMINOR = {minor}
export PYMICRO = 0
export PYODIDE_EMSCRIPTEN_VERSION ?= {emscripten}
export PYODIDE_VERSION ?= {pyodide}
export PYODIDE_ABI_VERSION ?= {abi}
export PLATFORM_TRIPLET = wasm32-emscripten
export SYSCONFIG_NAME = {sysconfig}
export CPYTHONROOT = $(PYODIDE_ROOT)/cpython
export CPYTHONINSTALL = $(CPYTHONROOT)/installs/python-$(PYVERSION)
export TARGETINSTALLDIR = $(CPYTHONINSTALL)
export SYSCONFIGDATA_DIR = $(CPYTHONINSTALL)/sysconfigdata/
export PYTHONINCLUDE = $(CPYTHONINSTALL)/include/python$(PYMAJOR).$(PYMINOR)
export PIP_CONSTRAINT = $(PYODIDE_ROOT)/tools/constraints.txt
export PYODIDE_ZIP_COMPRESSION_LEVEL ?= 6
export CFLAGS_BASE = -O2 -g0 -fPIC -fwasm-exceptions -sSUPPORT_LONGJMP=wasm
export LDFLAGS_BASE = -O2 -g0 -s WASM_BIGINT -fwasm-exceptions -sSUPPORT_LONGJMP=wasm
export CXXFLAGS_BASE =
.output_vars:
\tset
"""


@dataclass(frozen=True)
class Runtime:
    """Versions that belong together, as the npm package's lock file says."""

    pyodide: str
    python: str
    emscripten: str
    abi: str

    @property
    def minor(self) -> str:
        """Such as "3.15"."""
        return ".".join(self.python.split(".")[:2])


def read_runtime(npm: Path) -> Runtime:
    """npm: the unpacked package `pyodide`."""
    info = json.loads((npm / "pyodide-lock.json").read_text())["info"]
    emscripten = info["platform"].removeprefix("emscripten_").replace("_", ".")
    version = json.loads((npm / "package.json").read_text())["version"]
    return Runtime(version, info["python"], emscripten, info["abi_version"])


def pyconfig(variables: dict[str, object], native: str) -> str:
    """Text of pyconfig.h.

    variables  build-time variables of the target
    native     pyconfig.h of the same Python on another platform: which names there are
    """
    names = set(re.findall(r"^\s*(?:#\s*define|/\*\s*#\s*undef|#\s*undef)\s+(\w+)", native, re.MULTILINE))
    names |= {name for name in variables if re.match(MACROS, name)}
    lines = []
    for name in sorted(names):
        value = variables.get(name)
        unset = value in (None, 0, "")
        word = not isinstance(value, str) or value.startswith('"') or re.fullmatch(r"[\w.+-]+", value)
        if not unset and word:
            lines.append(f"#define {name} {value}")
    return "\n".join(["#ifndef Py_PYCONFIG_H", "#define Py_PYCONFIG_H", *lines, "#endif", ""])


def assemble(npm: Path, headers: Path, native_pyconfig: Path, out: Path) -> Runtime:
    """Write the environment.

    npm              the unpacked package `pyodide`
    headers          /usr/include/python3.x of the same Python
    native_pyconfig  pyconfig.h of that Python's platform
    out              folder to be made; gets the folder xbuildenv
    raises           FileNotFoundError for what is not there, ValueError where the headers are another Python's
    """
    runtime = read_runtime(npm)
    if headers.name != f"python{runtime.minor}":
        raise ValueError(f"headers of {headers.name}, wanted python{runtime.minor}")
    shutil.rmtree(out, ignore_errors=True)
    root = out / "xbuildenv" / "pyodide-root"
    install = root / "cpython" / "installs" / f"python-{runtime.python}"
    include, library = (install / part / f"python{runtime.minor}" for part in ("include", "lib"))
    shutil.copytree(headers, include)
    extras = out / "xbuildenv" / "site-packages-extras"
    for folder in (install / "sysconfigdata", library, root / "dist", root / "tools", extras):
        folder.mkdir(parents=True)
    with zipfile.ZipFile(npm / "python_stdlib.zip") as standard_library:
        data = standard_library.read(f"{SYSCONFIG}.py")
    for folder in (install / "sysconfigdata", library):
        (folder / f"{SYSCONFIG}.py").write_bytes(data)
    variables = runpy.run_path(str(library / f"{SYSCONFIG}.py"))["build_time_vars"]
    (include / "pyconfig.h").write_text(pyconfig(variables, native_pyconfig.read_text()))
    major, minor = runtime.minor.split(".")
    text = MAKEFILE.format(major=major, minor=minor, sysconfig=SYSCONFIG, **vars(runtime))
    (root / "Makefile.envs").write_text(text)
    (root / "tools" / "constraints.txt").write_text("")
    (out / "xbuildenv" / "requirements.txt").write_text("")
    for name in RUNTIME:
        shutil.copy(npm / name, root / "dist")
    return runtime
