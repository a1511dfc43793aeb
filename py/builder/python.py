"""The Python side: .venv, our package in it, the weight files that it writes, the wheel."""

import sys
from functools import partial
from pathlib import Path

from builder.paths import BUILD, MODELS, PACKAGE, PYTHON, ROOT, VENV, WASM
from builder.programs import PIP, answers, apt_install, run
from builder.steps import Failure, files_under, step


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
    """The command .venv/bin/sordino, which imports py/sordino from where it stands.

    extra  of pyproject.toml, such as "train", which brings torch; or several, with commas
    """
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    install = partial(run, *PIP, *([] if extra else ["--no-deps"]), "--no-build-isolation", "-e", target)
    name = f"python package{' with ' + extra if extra else ''}"
    step(name, install, [ROOT / "pyproject.toml"], [VENV / "bin" / "sordino"], sys.version)


def weight_files() -> list[Path]:
    return [model.with_suffix(".sordino") for model in sorted(MODELS.glob("*.onnx"))]


def weights() -> None:
    """The weight file of every model. The C for their shapes is kept: `sordino export --generate wasm` writes it."""
    sources = [file for file in PACKAGE.rglob("*.py") if "train" not in file.parts]
    inputs = [*sources, *MODELS.glob("*.onnx")]
    step("weights", partial(run, VENV / "bin" / "sordino", "export"), inputs, weight_files())


def wheel() -> None:
    """dist/: the Python wheel and sdist."""
    sources = [ROOT / name for name in ("README.md", "LICENSE", "MANIFEST.in", "pyproject.toml", "setup.py")]
    sources += [file for file in files_under([PACKAGE]) if file.suffix != ".so"]
    inputs = [*sources, *files_under([WASM]), *(BUILD / "wasm").glob("sordino.*.wasm"), ROOT / "py" / "package"]
    step("wheel and sdist", partial(run, PYTHON, "py/package/wheel.py"), inputs, [ROOT / "dist"], sys.version)
