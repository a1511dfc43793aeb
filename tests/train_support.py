"""What the tests of training share: the need for torch, and a small synthetic corpus."""

import csv
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile

from support import IN_CI

RATE = 48000
COLUMNS = ("path", "split", "kind", "speaker", "language_or_category", "eff_bw_hz", "snr_est_db")


def require_torch() -> None:
    """Skip the calling module where torch is missing; where CI is set, let its import fail."""
    if importlib.util.find_spec("torch") is None and not IN_CI:
        pytest.skip("torch is not installed: pip install 'sordino[train]'", allow_module_level=True)


def voice(seconds: float, seed: int) -> np.ndarray:
    """Something like speech: syllables of a gliding harmonic tone with pauses, (n,) float32."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    pitch = 90 + 120 * rng.random() + 25 * np.sin(2 * np.pi * 0.7 * time + rng.random())
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 20))
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * time + 6 * rng.random()) * 3, 0, 1)
    return (0.1 * tone * syllables).astype(np.float32)


def write_corpus(folder: Path) -> Path:
    """Write a corpus of three voices, two noises, one tune and one room per split; return its manifest."""
    rng = np.random.default_rng(0)
    rows = []
    for split in ("train", "valid"):
        for i in range(3):
            rows.append(_clip(folder, split, "speech", f"voice{i}", voice(4, i), "16000", "40"))
        for i in range(2):
            rows.append(_clip(folder, split, "noise", f"noise{i}", 0.1 * rng.standard_normal(2 * RATE), "24000", ""))
        rows.append(_clip(folder, split, "music", "tune", voice(3, 9), "", ""))
        room = rng.standard_normal(RATE // 4) * np.exp(-np.arange(RATE // 4) / 3000)
        rows.append(_clip(folder, split, "rir", "room", room / np.abs(room).max(), "", ""))
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return manifest


def _clip(folder: Path, split: str, kind: str, name: str, samples: np.ndarray, band: str, snr: str) -> dict[str, str]:
    path = Path(kind, split, f"{name}.wav")
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(folder / path, samples, RATE)
    return dict(zip(COLUMNS, (str(path), split, kind, name, "any", band, snr), strict=True))
