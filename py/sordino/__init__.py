"""Sordino: real-time speech noise suppression. The NumPy reference, the tools that train, export and run its models."""

from .params import VERSION as __version__

__all__ = ["__version__"]
