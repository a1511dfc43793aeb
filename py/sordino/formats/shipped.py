"""Find the models that ship and read their weights. Needs no NumPy, so that it also serves bare Pyodide."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path

MODELS = Path(__file__).parents[1] / "models"
SUFFIXES = (".onnx", ".sordino")


def model_names() -> list[str]:
    """Short names of the models that ship."""
    return sorted({path.stem for path in MODELS.glob("*") if path.suffix in SUFFIXES})


def find_model(name_or_path: str | Path) -> Path:
    """Path of a model by its short name ("standard") or by its path; the .onnx file where there are both.

    raises  FileNotFoundError naming what was looked for and which names exist
    """
    path = Path(name_or_path)
    if path.suffix in SUFFIXES:
        if path.is_file():
            return path
        raise FileNotFoundError(f"no model file at {path}")
    for suffix in SUFFIXES:
        named = MODELS / f"{path.name}{suffix}"
        if path.name == str(name_or_path) and named.is_file():
            return named
    known = ", ".join(model_names()) or "none"
    raise FileNotFoundError(
        f"no model is called {str(name_or_path)!r}; known: {known}; or give the path of an .onnx or .sordino file"
    )


def load_weights(path: Path) -> bytes:
    """The weight file of a model: the .sordino file itself or the one beside an .onnx file, unless that is newer.

    path    an .onnx or .sordino file
    raises  FileNotFoundError; ModelError for an .onnx file that is no model; ImportError where `onnx` is needed
            and not installed
    """
    built = path.with_suffix(".sordino")
    source = path if path.suffix == ".sordino" or not _is_current(built, path) else built
    status = source.stat()
    return _read(source, status.st_mtime_ns, status.st_size)


def _is_current(built: Path, model: Path) -> bool:
    if not built.is_file():
        return False
    return built.stat().st_mtime_ns >= model.stat().st_mtime_ns or importlib.util.find_spec("onnx") is None


@lru_cache(maxsize=4)
def _read(path: Path, _modified_ns: int, _size: int) -> bytes:
    """The same object for every stream of a model, so that all share the memory."""
    if path.suffix == ".sordino":
        return path.read_bytes()
    from .onnx import read_onnx
    from .weight_file import weight_bytes

    return weight_bytes(read_onnx(path))
