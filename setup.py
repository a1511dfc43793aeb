"""The extension module sordino._native: which sources with which flags; everything else stands in pyproject.toml.

The compiler is that of the environment (CC and CXX, else what Python was built with). Where there is none, and where
SORDINO_ZIG holds its arguments, Zig's clang is a build requirement: it comes from the package registry.

Why not scikit-build-core or meson-python: the module is two globs of sources in two languages, one set of flags and one
link, as below. CMake or Meson with Ninja would be further requirements of a source install, need a tool-chain file for
a compiler that is called as `python -m ziglang cc`, and still not build the WebAssembly modules of the same C, which
py/builder/kernels.py does. Two things to keep in step remain either way: that file and this one.
"""

import os
import shutil
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

WASM = Path("wasm")
BINDINGS = [str(file) for file in sorted((WASM / "bind").glob("*.cpp"))]
EMSCRIPTEN = "emscripten" in os.environ.get("_PYTHON_HOST_PLATFORM", sys.platform) or bool(os.environ.get("PYODIDE"))
HAS_COMPILER = EMSCRIPTEN or "CC" in os.environ or any(map(shutil.which, ("cc", "gcc", "clang")))
ZIG = os.environ.get("SORDINO_ZIG", None if HAS_COMPILER else "-mcpu=baseline")
"""Arguments of Zig's clang that say what to compile for; None: the environment's compiler is used."""

# Every build adds floats in the order the source says, so that all of them give the same bytes.
COMMON = ["-O3", "-ffp-contract=off", "-fno-fast-math", "-fvisibility=hidden", f"-I{WASM}"]
if EMSCRIPTEN:
    VARIANT = ["-DSORDINO_KERNEL_SIMD128", "-msimd128", "-fwasm-exceptions"]
else:
    VARIANT = ["-DSORDINO_KERNEL_DISPATCH"]


def c_sources() -> list[str]:
    found = sorted(WASM.rglob("*.c"))
    return [str(path) for path in found if not (EMSCRIPTEN and "native" in path.parts)]


class BuildKernels(build_ext):
    """C11 and C++20 sources with their own flags, linked into one module; in an editable install left to build.py."""

    def run(self) -> None:
        if not self.editable_mode:
            super().run()

    def build_extension(self, ext: Extension) -> None:
        if ZIG is not None:
            cc, cxx = (f"{sys.executable} -m ziglang {name} {ZIG} -fPIC" for name in ("cc", "c++"))
            self.compiler.set_executables(compiler_so=cc, compiler_so_cxx=cxx, linker_so=f"{cxx} -shared")
        import pybind11

        headers = [*self.include_dirs, pybind11.get_include()]
        objects = []
        for language, standard, sources in (
            ("c", "-std=c11", c_sources()),
            ("c++", "-std=c++20", BINDINGS),
        ):
            flags = [standard, *COMMON, *VARIANT]
            objects += self.compiler.compile(
                sources, self.build_temp, include_dirs=headers if language == "c++" else [], extra_postargs=flags
            )
        self.mkpath(str(Path(self.get_ext_fullpath(ext.name)).parent))
        self.compiler.link_shared_object(
            objects,
            self.get_ext_fullpath(ext.name),
            libraries=self.get_libraries(ext),
            extra_postargs=["-fwasm-exceptions"] if EMSCRIPTEN else ["-s"] if sys.platform == "linux" else [],
            target_lang="c++" if ZIG is None else None,
        )


setup(
    ext_modules=[Extension("sordino._native", BINDINGS, language="c++")],
    cmdclass={"build_ext": BuildKernels},
    setup_requires=[] if ZIG is None else ["ziglang==0.17.0"],
)
