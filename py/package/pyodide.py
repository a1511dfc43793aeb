"""Build the same pybind11 module for Pyodide: build/pyodide/dist/*.whl, with SIMD, for browsers and Node.

It takes an Emscripten of exactly the version that Pyodide's runtime was built with. Debian's next release has it: it
is unpacked below build/pyodide/debian by debootstrap and entered by chroot. All is kept; a second run only compiles.

    npm package `pyodide`        the runtime; says which Emscripten and which Python
    debian                       emscripten and that Python's headers
    xbuildenv                    py/package/xbuildenv.py
    dist                         the wheel, and micropip with what it needs, which installs it

`python3 build.py pyodide` needs: Debian or Ubuntu with root, debootstrap, npm, and the Debian mirror, npm and PyPI
within reach. SORDINO_DEBIAN names another folder with a Debian that has emscripten, python3.x-dev and python3.x-venv;
SORDINO_DEBIAN_MIRROR another mirror.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import wheel
import xbuildenv

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "build" / "pyodide"
DEBIAN = Path(os.environ.get("SORDINO_DEBIAN", HERE / "debian"))
MIRROR = os.environ.get("SORDINO_DEBIAN_MIRROR", "http://deb.debian.org/debian")
SUITE = "forky"
PYODIDE = "315.0.0-alpha.2"
TOOLS = ("pyodide-build==0.39.2", "setuptools==84.2.1", "pybind11==3.1.0")
MICROPIP = "micropip"
LLVM = "/usr/lib/llvm-21/bin"
WORK = "/sordino"


class Missing(Exception):
    """Something this machine does not have; the message says what and how to supply it."""


def note(name: str, action: Callable[[], object]) -> None:
    """Do it, and say how long it took."""
    print(f"{name:<28} ...", end="", flush=True)
    start = time.monotonic()
    action()
    print(f" {time.monotonic() - start:.1f} s", flush=True)


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Output of a command; raises SystemExit with the end of it where the command fails."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode != 0:
        raise SystemExit(f"\nstatus {done.returncode} from: {' '.join(words)}\n{done.stdout[-6000:]}")
    return done.stdout


def enter(script: str) -> str:
    """Run a shell script inside the Debian."""
    path = f"{LLVM}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    clean = ["env", "-i", f"PATH={path}", "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"]
    return run("chroot", DEBIAN, *clean, "sh", "-euc", script)


def check() -> None:
    """Raises Missing with everything that this machine lacks."""
    lacks = []
    if sys.platform != "linux" or platform.machine() != "x86_64":
        lacks.append(f"Linux on x86_64 (this is {sys.platform} on {platform.machine()})")
    elif os.geteuid() != 0:
        lacks.append("root, for chroot (sudo python3 build.py pyodide)")
    if not shutil.which("npm"):
        lacks.append("npm (python3 build.py build brings it)")
    if not DEBIAN.is_dir() and not shutil.which("debootstrap"):
        lacks.append("debootstrap (apt-get install debootstrap), or SORDINO_DEBIAN, a folder with a Debian in it")
    if lacks:
        raise Missing("; ".join(lacks))


def fetch_runtime() -> xbuildenv.Runtime:
    """The npm package, unpacked to build/pyodide/npm."""
    npm = HERE / "npm"
    if not (npm / "package.json").is_file() or xbuildenv.read_runtime(npm).pyodide != PYODIDE:
        shutil.rmtree(npm, ignore_errors=True)
        run("npm", "pack", f"pyodide@{PYODIDE}", cwd=HERE)
        with tarfile.open(HERE / f"pyodide-{PYODIDE}.tgz") as archive:
            archive.extractall(HERE / "unpacked", filter="data")
        (HERE / "unpacked" / "package").rename(npm)
        (HERE / f"pyodide-{PYODIDE}.tgz").unlink()
    return xbuildenv.read_runtime(npm)


def fetch_tools(minor: str) -> None:
    """pyodide-build and what it needs as wheels for the Debian's Python, so that nothing in there goes online."""
    folder = HERE / "tools"
    stamp = folder / "complete"
    wanted = f"{minor} {' '.join(TOOLS)}"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    abi = f"cp{minor.replace('.', '')}"
    options = ["--only-binary=:all:", "--python-version", minor, "--implementation", "cp", "--dest", str(folder)]
    for name in (abi, "abi3", "none"):
        options += ["--abi", name]
    for name in ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"):
        options += ["--platform", name]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    run(*pip, *options, *TOOLS)
    stamp.write_text(wanted)


def make_debian(minor: str) -> None:
    """Debian's next release with Emscripten and Python."""
    if (DEBIAN / "complete").is_file() or "SORDINO_DEBIAN" in os.environ:
        return
    if not (DEBIAN / "bare").is_file():
        shutil.rmtree(DEBIAN, ignore_errors=True)
        script = Path("/usr/share/debootstrap/scripts") / SUITE
        script = script if script.exists() else script.with_name("sid")
        note(f"debootstrap {SUITE}", lambda: run("debootstrap", "--variant=minbase", SUITE, DEBIAN, MIRROR, script))
        (DEBIAN / "bare").write_text(SUITE)
    # A mirror that lags is signed all the same; whether it fits is checked by the version of Emscripten.
    update = "apt-get -o Acquire::Check-Valid-Until=false update"
    packages = f"emscripten make python{minor}-dev python{minor}-venv"
    install = f"{update} && apt-get install -y --no-install-recommends {packages}"
    note("apt-get emscripten", lambda: enter(install))
    (DEBIAN / "complete").write_text(packages)


def check_emscripten(runtime: xbuildenv.Runtime) -> None:
    """Raises Missing where Debian has moved on to another Emscripten than the runtime's."""
    found = re.search(r"\b(\d+\.\d+\.\d+)\b", enter("emcc --version"))
    version = found.group(1) if found else "none"
    if version != runtime.emscripten:
        raise Missing(
            f"Emscripten {runtime.emscripten} for pyodide@{runtime.pyodide}: Debian {SUITE} has {version}. Name a "
            f"folder with a Debian that has it in SORDINO_DEBIAN, or set PYODIDE in {Path(__file__).name} to the npm "
            f"release whose pyodide-lock.json says emscripten_{version.replace('.', '_')}"
        )


def make_xbuildenv(runtime: xbuildenv.Runtime) -> None:
    """The cross-build environment, and pyodide-build set up with it inside the Debian."""
    include = DEBIAN / "usr/include"
    headers = include / f"python{runtime.minor}"
    native = include / "x86_64-linux-gnu" / f"python{runtime.minor}" / "pyconfig.h"
    if not headers.is_dir():
        raise Missing(f"python{runtime.minor}-dev in {DEBIAN}")
    out = HERE / "xbuildenv"
    xbuildenv.assemble(HERE / "npm", headers, native if native.is_file() else headers / "pyconfig.h", out)
    work = DEBIAN / WORK.lstrip("/")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    shutil.copytree(HERE / "tools", work / "tools")
    with tarfile.open(work / "xbuildenv.tar.gz", "w:gz") as archive:
        archive.add(out / "xbuildenv", "xbuildenv")
    enter(
        f"cd {WORK}; python{runtime.minor} -m venv venv; "
        "venv/bin/pip install -q --no-index --find-links tools pyodide-build setuptools pybind11; "
        f"rm -rf /root/.cache/.pyodide* .pyodide*; venv/bin/pyodide xbuildenv install --url file://{WORK}/xbuildenv.tar.gz"
    )


def compile_wheel() -> Path:
    """The wheel, from the tree of the sdist without what a browser does not use."""
    tree, made_from = DEBIAN / WORK.lstrip("/") / "tree", wheel.fingerprint()
    wheel.stage(tree)
    for path in (*tree.rglob("*.onnx"), *tree.rglob("*.wasm")):
        path.unlink()
    enter(
        f"cd {WORK}/tree; export LDFLAGS=-Wl,--experimental-pic; rm -rf dist; "
        "../venv/bin/pyodide build . --outdir dist --no-isolation --skip-dependency-check --skip-emscripten-install"
    )
    dist = HERE / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    (built,) = (tree / "dist").glob("*.whl")
    (dist / "made-from").write_text(made_from)
    return Path(shutil.copy(built, dist))


def main() -> None:
    check()
    HERE.mkdir(parents=True, exist_ok=True)
    runtime = fetch_runtime()
    print(f"Pyodide {runtime.pyodide}: Python {runtime.python}, Emscripten {runtime.emscripten}", flush=True)
    note("tools from PyPI", lambda: fetch_tools(runtime.minor))
    make_debian(runtime.minor)
    check_emscripten(runtime)
    note("cross-build environment", lambda: make_xbuildenv(runtime))
    note("pyodide build", compile_wheel)
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    run(*pip, "--python-version", runtime.minor, "--dest", HERE / "dist", MICROPIP)
    for path in sorted((HERE / "dist").glob("*.whl")):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    try:
        main()
    except Missing as missing:
        sys.exit(f"\nno Pyodide wheel on this machine; missing: {missing}")
