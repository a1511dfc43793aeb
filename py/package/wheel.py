"""Make dist/*.tar.gz and from it dist/*.whl: extension, models, WebAssembly modules; installed without a compiler.

The wheel is built from the unpacked sdist, so that the sdist is known to build. Zig's clang links against the oldest
glibc that manylinux knows of and brings its own C++ library, so that the wheel runs on any Linux since 2014.

    python py/package/wheel.py        (`python3 build.py wheel` builds what it needs first)
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STAGE = ROOT / "build" / "package"
DIST = ROOT / "dist"
TOP_FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md")
SOURCE_SUFFIXES = {".py", ".pyi", ".toml", ".png", ".onnx", ".pt", ".sordino", ".typed", ".c", ".h", ".cpp", ".in"}
GLIBC = "2.17"
SOURCE_DATE_EPOCH = "1704067200"  # a fixed date in the archives: the same sources give the same bytes


def stage(tree: Path) -> None:
    """Copy what the packages are made from; raises SystemExit for what is not built yet."""
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for name in TOP_FILES:
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, tree)
    for folder in ("wasm", "py/sordino"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and (path.suffix in SOURCE_SUFFIXES or path.name == "py.typed"):
                target = tree / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
    built = sorted((ROOT / "build" / "wasm").glob("sordino.*.wasm"))
    weights = sorted((tree / "py/sordino/models").glob("*.sordino"))
    if not built or not weights:
        raise SystemExit("no modules in build/wasm or no weights in py/sordino/models; run `python3 build.py build`")
    modules = tree / "py" / "sordino" / "wasm"
    modules.mkdir()
    for module in built:
        shutil.copy(module, modules / module.name)
        (modules / module.name).chmod(0o644)


def fingerprint() -> str:
    """Hash of all that decides what the extension computes: its sources and the weights that travel with it."""
    total = hashlib.sha256()
    files = [p for p in (ROOT / "wasm").rglob("*") if p.suffix in (".c", ".h", ".cpp")]
    for path in sorted([*files, ROOT / "setup.py", *(ROOT / "py/sordino/models").glob("*.sordino")]):
        total.update(f"{path.relative_to(ROOT)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def target() -> tuple[str, str | None]:
    """What Zig's clang compiles for, and the platform tag of the wheel where it is not the usual one."""
    if sys.platform == "linux" and platform.libc_ver()[0] == "glibc":
        machine = platform.machine()
        return f"-target {machine}-linux-gnu.{GLIBC}", f"manylinux_{GLIBC.replace('.', '_')}_{machine}"
    return "-mcpu=baseline", None


def backend(tree: Path, hook: str, tag: str | None = None) -> Path:
    """Call a hook of the build backend as pip does; the file it made is in dist."""
    settings = {"--build-option": [f"--plat-name={tag}"]} if tag else {}
    code = f"from setuptools import build_meta; print(build_meta.{hook}({str(DIST)!r}, {settings!r}))"
    cache = str(ROOT / "build" / "zig")
    environment = {**os.environ, "SORDINO_ZIG": target()[0], "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH}
    environment |= {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{hook} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return DIST / done.stdout.splitlines()[-1]


def needed(wheel: zipfile.ZipFile) -> None:
    """Raises SystemExit where the wheel lacks something it must have."""
    names = wheel.namelist()
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    models = sorted((ROOT / "py/sordino/models").glob("*.onnx"))
    wanted = [f"sordino/_native{suffix}", "sordino/py.typed", "sordino/_native.pyi"]
    wanted += [f"sordino/wasm/sordino.{variant}.wasm" for variant in ("scalar", "simd128", "relaxed")]
    wanted += [f"sordino/models/{model.stem}{end}" for model in models for end in (".onnx", ".sordino")]
    absent = [name for name in wanted if name not in names]
    if absent:
        raise SystemExit(f"the wheel lacks {', '.join(absent)}")


def main() -> None:
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    stage(STAGE / "tree")
    source = backend(STAGE / "tree", "build_sdist")
    shutil.rmtree(STAGE / "unpacked", ignore_errors=True)
    with tarfile.open(source) as archive:
        archive.extractall(STAGE / "unpacked", filter="data")
    tree = STAGE / "unpacked" / source.name.removesuffix(".tar.gz")
    wheel = backend(tree, "build_wheel", target()[1])
    with zipfile.ZipFile(wheel) as archive:
        needed(archive)
    for path in (source, wheel):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
