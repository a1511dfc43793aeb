"""Sordino: real-time speech noise suppression. The NumPy reference, the tools that train, export and run its models.

    import sordino
    clean = sordino.denoise(noisy, 48_000)

What needs NumPy is imported when it is first used, so that the native module alone also runs without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .params import VERSION as __version__

if TYPE_CHECKING:
    from .api import Denoiser, denoise
    from .audio import AudioError, denoise_file
    from .engines import Decision, EngineError
    from .model import ModelError
    from .models import find_model, load_weights, model_names

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
    "AudioError": "audio",
    "Decision": "engines",
    "Denoiser": "api",
    "EngineError": "engines",
    "ModelError": "model",
    "denoise": "api",
    "denoise_file": "audio",
    "find_model": "models",
    "load_weights": "models",
    "model_names": "models",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'sordino' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
