#!/usr/bin/env python3
"""The one door to Sordino: build it, show it, test it, measure it.

Needs Python 3.11 or newer and, for a first run, the package registries; everything else it sets up by itself in
.venv, node_modules and build/. Every step notes the hash of what it read and wrote, so a second run does nothing twice.
It reads its own command line by argparse, unlike `sordino`: it runs before anything is installed.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "py"))

from builder.kernels import native, wasm
from builder.npm import npm, npm_package, web
from builder.page import demo
from builder.paths import PYTHON, ROOT
from builder.programs import apt_install
from builder.python import environment, package, weights, wheel
from builder.steps import Failure

OLDEST_PYTHON = (3, 11)
BROWSERS = {
    "chromium": "chromium",
    "firefox-esr": "firefox-esr",
    "WebKitWebDriver": "webkit2gtk-driver",
    "Xvfb": "xvfb",
    "pulseaudio": "pulseaudio",
}
"""By program: the Debian package that has it."""
WRITERS = {"ffmpeg": "ffmpeg", "sox": "sox", "lame": "lame", "opusenc": "opus-tools"}
"""Programs that write sound files for the tests, and their packages."""
BENCHMARKS = {
    "quality": ("eval", ["sordino.cli", "develop", "quality"]),
    "echo": ("eval", ["sordino.cli", "develop", "echo"]),
    "ablation": ("eval,train", ["sordino.cli", "develop", "ablation"]),
    "speed": ("", ["tests.bench.speed.speed"]),
    "offline": ("eval", ["tests.bench.offline"]),
}
"""By name: the extra of pyproject.toml that it needs, and the module and first words that all arguments follow."""
ALL_TESTS = ["-n", "2", "--no-loadscope-reorder", "tests"]
"""The fast ones in two processes at once, then what plays in real time in one: see tests/conftest.py."""


def build() -> None:
    """Everything but the wheel, each part from what those before it have left."""
    for part in (environment, package, weights, wasm, native, npm, web):
        part()


def hand_over(*arguments: str) -> int:
    """Run .venv's Python in the repository's root; returns its exit status."""
    return subprocess.run([PYTHON, *arguments], check=False, cwd=ROOT).returncode


def test(with_torch: bool, arguments: list[str]) -> int:
    """Install what only tests need, then run pytest; returns its exit status."""
    if with_torch:
        package("train")
    wheel()
    for programs, why in ((BROWSERS, "browsers for the tests"), (WRITERS, "writers of sound files for the tests")):
        apt_install([name for program, name in programs.items() if not shutil.which(program)], why)
    print(flush=True)
    return hand_over("-m", "pytest", *(arguments or ALL_TESTS))


def bench(kind: str, arguments: list[str]) -> int:
    """Install what the benchmark needs, then run it with the other arguments; returns its exit status."""
    extra, command = BENCHMARKS[kind]
    package(extra)
    print(flush=True)
    return hand_over("-m", *command, *arguments)


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
    commands.add_parser("train-env", help="install what training needs (torch), and build the kernels for it")
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
        weights()
        native()  # searches the noise for voices, and scores models
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
        return hand_over("py/package/pyodide.py")
    if options.command == "bench":
        return bench(options.kind, rest)
    return test(options.torch, rest) if options.command == "test" else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(flush=True)
        sys.exit(f"build.py: {failure}")
