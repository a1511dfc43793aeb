"""What the tests of the corpus share: sound files and empty files, written where a test wants them."""

from pathlib import Path

import numpy as np
import soundfile

from train_support import RATE


def write(path: Path, samples: np.ndarray, rate: int = RATE) -> Path:
    """A sound file of (n,) samples at `rate` Hz, with the folders it needs; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


def touch(folder: Path, *names: str) -> Path:
    """Empty files of these names; returns the folder."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def hiss(seconds: float, seed: int) -> np.ndarray:
    """White noise at 48 kHz, (n,)."""
    return 0.05 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))
