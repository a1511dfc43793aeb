"""Sordino: real-time speech noise suppression. The NumPy reference, the tools that train, export and run its models.

    import sordino
    clean = sordino.denoise(noisy, 48_000)

What needs NumPy is imported when it is first used, so that the native module alone also runs without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .chain.params import VERSION as __version__

if TYPE_CHECKING:
    from .chain.model import ModelError
    from .files.audio import AudioError, denoise_file
    from .formats.shipped import find_model, load_weights, model_names
    from .run.api import Denoiser, denoise
    from .run.engines import Decision, EngineError

__all__ = [
    "AudioError",
    "Decision",
    "Denoiser",
    "EngineError",
    "ModelError",
    "__version__",
    "denoise",
    "denoise_file",
    "find_model",
    "load_weights",
    "model_names",
]

_HOMES = {
    "AudioError": "files.audio",
    "Decision": "run.engines",
    "Denoiser": "run.api",
    "EngineError": "run.engines",
    "ModelError": "chain.model",
    "denoise": "run.api",
    "denoise_file": "files.audio",
    "find_model": "formats.shipped",
    "load_weights": "formats.shipped",
    "model_names": "formats.shipped",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'sordino' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
