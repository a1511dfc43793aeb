"""Make the page's noisy clips and their SOURCES.md: public-domain speech and CC0 noise at a stated SNR, as Ogg Opus.

    python web/demo/make_clips.py CORPUS [OUTPUT]

CORPUS holds manifest.csv (columns path and licence) and the recordings that CLIPS names. Needs NumPy and ffmpeg.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
SPEECH_DB = -24.0
"""Level (RMS) of the speech where there is speech, dB full scale."""
ACTIVE_DB = -45.0
"""Blocks of 100 ms above this level count as speech."""
LEAD_S = 0.9
"""Noise alone, before the speech begins."""
FADE_S = 0.25
"""Where the noise is repeated its end fades into its beginning; clips fade in and out a fifth as long."""
BITRATE = "64k"
FREE_LICENCES = ("CC0", "Public Domain")


@dataclass(frozen=True)
class Clip:
    """One clip: what is said, from second to second, and what disturbs it."""

    name: str
    speech: str
    begin_s: float
    end_s: float
    noise: str
    snr_db: float


SPEECH = "speech/gcompris/train/gc_gd_intro_{}.opus"
NOISE = "noise/esc10/test/esc10_{}.opus"
CLIPS = (
    Clip("rain", SPEECH.format("005"), 4.2, 12.3, NOISE.format("142005_0"), 4),
    Clip("helicopter", SPEECH.format("012"), 46.7, 54.9, NOISE.format("181071_0"), 3),
    Clip("dog", SPEECH.format("015"), 23.1, 31.0, NOISE.format("122104_1"), 3),
)

SOURCES_HEAD = """# Where the clips come from

Made by `web/demo/make_clips.py`. Speech: the Scottish Gaelic voice of GCompris (folder `gd` of
github.com/gcompris/GCompris-voices), in the public domain. Noise: ESC-10 (github.com/karolpiczak/ESC-10),
only clips that freesound.org carries under CC0. The clips are in the public domain (CC0) as well.
The speech is kept out of the training of the models that ship.

| clip | speech | licence | noise | licence | SNR |
|---|---|---|---|---|---|
"""


def read_audio(path: Path) -> NDArray[np.float64]:
    """Decode a file to 48 kHz mono, full scale 1. raises CalledProcessError when ffmpeg cannot."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.float32).astype(np.float64)


def power(signal: NDArray[np.float64]) -> float:
    """Mean power of the blocks of 100 ms that are louder than ACTIVE_DB; of all blocks when none is."""
    size = SAMPLE_RATE // 10
    blocks = np.mean(signal[: len(signal) // size * size].reshape(-1, size) ** 2, axis=1)
    active = blocks[blocks > 10 ** (ACTIVE_DB / 10)]
    return float(np.mean(active if active.size else blocks))


def repeat(noise: NDArray[np.float64], samples: int) -> NDArray[np.float64]:
    """Play the noise again and again, each end fading into the next beginning with constant power."""
    fade = int(FADE_S * SAMPLE_RATE)
    ramp = np.sin(np.linspace(0, np.pi / 2, fade))
    piece = noise.copy()
    piece[:fade] *= ramp
    piece[-fade:] *= ramp[::-1]
    step = len(piece) - fade
    out = np.zeros(samples + 2 * len(piece))
    for start in range(0, samples + fade, step):
        out[start : start + len(piece)] += piece
    return out[fade : fade + samples]


def mix(corpus: Path, clip: Clip) -> NDArray[np.float64]:
    """Speech at SPEECH_DB behind LEAD_S of noise; the noise at the clip's SNR, both counted where they are active."""
    speech = read_audio(corpus / clip.speech)[int(clip.begin_s * SAMPLE_RATE) : int(clip.end_s * SAMPLE_RATE)]
    noise = read_audio(corpus / clip.noise)
    speech = speech * np.sqrt(10 ** (SPEECH_DB / 10) / power(speech))
    noise = noise * np.sqrt(10 ** ((SPEECH_DB - clip.snr_db) / 10) / power(noise))
    out = np.concatenate([np.zeros(int(LEAD_S * SAMPLE_RATE)), speech])
    out += repeat(noise, len(out))
    fade = int(FADE_S / 5 * SAMPLE_RATE)
    out[:fade] *= np.linspace(0, 1, fade)
    out[-fade:] *= np.linspace(1, 0, fade)
    return np.clip(out, -1, 1)


def write_opus(path: Path, samples: NDArray[np.float64]) -> None:
    """Encode without time stamps or random serial numbers, so that the same input gives the same bytes."""
    source = ["-f", "f32le", "-ac", "1", "-ar", str(SAMPLE_RATE), "-i", "-"]
    encoder = ["-c:a", "libopus", "-b:a", BITRATE, "-application", "audio", "-flags:a", "+bitexact"]
    plain = ["-fflags", "+bitexact", "-map_metadata", "-1"]
    command = ["ffmpeg", "-v", "error", "-y", *source, *encoder, *plain, str(path)]
    subprocess.run(command, check=True, input=samples.astype(np.float32).tobytes())


def licences(corpus: Path) -> dict[str, str]:
    """Path -> licence; raises SystemExit when a recording of CLIPS is absent or not free."""
    with (corpus / "manifest.csv").open(newline="") as file:
        known = {row["path"]: row["licence"] for row in csv.DictReader(file)}
    for path in (path for clip in CLIPS for path in (clip.speech, clip.noise)):
        if not known.get(path, "none").startswith(FREE_LICENCES):
            sys.exit(f"{path} has licence {known.get(path, 'none')}; wanted one of {', '.join(FREE_LICENCES)}")
    return known


def main() -> None:
    corpus = Path(sys.argv[1])
    output = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "clips"
    licence = licences(corpus)
    output.mkdir(parents=True, exist_ok=True)
    table = SOURCES_HEAD
    for clip in CLIPS:
        write_opus(output / f"{clip.name}.ogg", mix(corpus, clip))
        speech, noise = Path(clip.speech).stem, Path(clip.noise).stem
        span = f"{clip.begin_s} s to {clip.end_s} s"
        freesound = f"freesound {noise.split('_')[1]}"
        table += f"| {clip.name}.ogg | {speech}, {span} | {licence[clip.speech]} "
        table += f"| {noise} ({freesound}) | {licence[clip.noise]} | {clip.snr_db} dB |\n"
    (output / "SOURCES.md").write_text(table)


if __name__ == "__main__":
    main()
