"""The C: WebAssembly modules for browsers and for the stage tests, and the extension module of CPython."""

import json
import re
import sys
from functools import cache, partial
from pathlib import Path

from builder.paths import BUILD, PACKAGE, PYTHON, WASM
from builder.programs import answers, apt_install, run
from builder.steps import Failure, step

ZIG: list[str | Path] = [PYTHON, "-m", "ziglang"]

# Every build adds floats in the order the source says, so that all of them give the same bytes.
C_FLAGS = ["-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
STACK = "-Wl,-z,stack-size=65536"  # more than twice what the network of `full` needs
WASM_FLAGS = ["-target", "wasm32-freestanding", "-nostdlib", "-s", "-Wl,--no-entry", "-Wl,--export=__heap_base", STACK]
WASM_VARIANTS = {
    "scalar": ["-DSORDINO_KERNEL_SCALAR"],
    "simd128": ["-DSORDINO_KERNEL_SIMD128", "-msimd128"],
    "relaxed": ["-DSORDINO_KERNEL_RELAXED", "-msimd128", "-mrelaxed-simd"],
}
PUBLIC = ("sordino.h", "gen/readouts.h")
"""Headers of the functions that every module exports."""


def c_sources() -> list[Path]:
    """The C of every build; what only the native build needs lies in wasm/nn/native."""
    return [file for file in sorted(WASM.rglob("*.c")) if WASM / "nn" / "native" not in file.parents]


def c_inputs() -> list[Path]:
    return [*c_sources(), *WASM.rglob("*.h")]


def exports(*headers: str) -> list[str]:
    """Linker flags that export every function these headers declare."""
    text = "".join((WASM / header).read_text() for header in headers)
    names = sorted(set(re.findall(r"^\w[^/#\n]*?\b(sordino_\w+)\(", text, re.MULTILINE)))
    return [f"-Wl,--export={name}" for name in names]


def wasm() -> None:
    """The modules that ship, and for the stage tests the same sources with every stage exported."""
    kinds = {"sordino": exports(*PUBLIC), "stages": exports(*PUBLIC, "stages.h", "nn/network.h")}
    for kind, exported in kinds.items():
        for variant, choice in WASM_VARIANTS.items():
            output = BUILD / "wasm" / f"{kind}.{variant}.wasm"
            output.parent.mkdir(parents=True, exist_ok=True)
            flags = ["-std=c11", *C_FLAGS, *WASM_FLAGS, *choice, *exported]
            link = partial(run, *ZIG, "cc", *flags, f"-I{WASM}", *c_sources(), "-o", output)
            step(f"wasm {kind}.{variant}", link, c_inputs(), [output], *flags)


@cache
def python_paths() -> dict[str, str]:
    """Where .venv's Python keeps its headers, and what its extension modules end in."""
    code = (
        "import json, sysconfig, pybind11; print(json.dumps({'include': sysconfig.get_path('include'),"
        "'pybind11': pybind11.get_include(), 'suffix': sysconfig.get_config_var('EXT_SUFFIX')}))"
    )
    found: dict[str, str] = json.loads(answers(PYTHON, "-c", code))
    return found


def native() -> None:
    """The same C as an extension module of CPython."""
    paths = python_paths()
    output = PACKAGE / f"_native{paths['suffix']}"
    common = [*C_FLAGS, "-mcpu=baseline", "-fPIC", "-fvisibility=hidden", "-DSORDINO_KERNEL_DISPATCH", f"-I{WASM}"]
    sources = [*c_sources(), *sorted((WASM / "nn" / "native").glob("*.c"))]
    bindings = sorted((WASM / "bind").glob("*.cpp"))
    link = ["-shared", "-s", *(["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else [])]

    def compile_native() -> None:
        require_headers(paths["include"])
        objects = BUILD / "native"
        objects.mkdir(parents=True, exist_ok=True)
        compiled = []
        for source in sources:
            compiled.append(objects / "-".join(source.relative_to(WASM).with_suffix(".o").parts))
            run(*ZIG, "cc", "-std=c11", *common, "-c", source, "-o", compiled[-1])
        headers = [f"-isystem{paths['include']}", f"-isystem{paths['pybind11']}"]
        run(*ZIG, "c++", "-std=c++20", *common, *headers, *bindings, *compiled, *link, "-o", output)

    inputs = [*c_inputs(), *sources, *bindings]
    step("native extension", compile_native, inputs, [output], *common, *link, json.dumps(paths))


def require_headers(folder: str) -> None:
    """Install Python's headers where they are missing from their folder. raises Failure where that is not allowed"""
    if (Path(folder) / "Python.h").exists():
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not apt_install([f"python{version}-dev"], "Python.h is missing"):
        raise Failure(f"no Python.h in {folder}")
