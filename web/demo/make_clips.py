"""Make the page's six scenes and scenes.json: public-domain speech in free noise at a stated SNR, as Ogg Opus.

    python web/demo/make_clips.py CORPUS [OUTPUT]

CORPUS holds manifest.csv (columns path and licence) and the recordings that SCENES names. Needs NumPy and ffmpeg.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import make_noise
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
SPEECH_DB = -24.0
"""Level (RMS) of the speech where there is speech, dB full scale."""
ACTIVE_DB = -45.0
"""Blocks of 100 ms above this level count as speech."""
BLOCK = SAMPLE_RATE // 10
LEAD_S = 0.9
"""Noise alone, before the speech begins."""
FADE_S = 0.25
"""Where the noise is repeated its end fades into its beginning; clips fade in and out a fifth as long."""
BITRATE = "64k"
FREE_LICENCES = ("CC0", "Public Domain", "MIT")
SPEECH = "speech/gcompris/train/gc_gd_intro_{}.opus"
VOICE = {
    "title": "Scottish Gaelic voice of GCompris",
    "address": "https://github.com/gcompris/GCompris-voices",
    "licence": "public domain",
}


@dataclass(frozen=True)
class Noise:
    """One noise: a recording of the corpus, or what make_noise computes, or one over the other.

    title, licence  as the page shows them; licence is the file's own where the manifest names only its collection's
    path            under the corpus, played from begin_s on
    made            computed for a number of samples, at the recording's level where there is one
    """

    title: str
    licence: str
    address: str = ""
    path: str = ""
    begin_s: float = 0.0
    made: Callable[[int], NDArray[np.float64]] | None = None


@dataclass(frozen=True)
class Scene:
    """One scene: what is said, from second to second, and what disturbs it."""

    name: str
    title: str
    speech: str
    begin_s: float
    end_s: float
    noise: Noise
    snr_db: float


def esc10(name: str, what: str) -> Noise:
    """A clip of ESC-10's CC0 part; name is the freesound number and the part."""
    number = name.split("_")[0]
    title = f"{what}, freesound {number}, by way of ESC-10"
    return Noise(title, "CC0", "https://github.com/karolpiczak/ESC-10", f"noise/esc10/test/esc10_{name}.opus")


BLANKET = "https://github.com/rafaelmardojai/blanket"
TYPING = Noise(
    "Cherry MX Blue keyboard, from Mechvibes",
    "MIT",
    "https://github.com/hainguyents13/mechvibes",
    "noise/mech/test/mech_cherrymx-blue-abs_0.opus",
    20.6,
)
CAFE = Noise(
    "Restaurant ambiance by stephan (soundbible 1664), by way of Blanket",
    "public domain",
    BLANKET,
    "noise/blanket/train/blanket_sounds_coffee-shop_0.opus",
)
STREET = Noise(
    "Diesel engine by Falcet (freesound 439365), by way of Blanket, and passing cars computed by make_noise.py",
    "CC0",
    BLANKET,
    "noise/blanket/train/blanket_sounds_boat_0.opus",
    made=make_noise.traffic,
)
SCENES = (
    Scene("keyboard", "Keyboard", SPEECH.format("003"), 39.6, 48.2, TYPING, 4),
    Scene(
        "fan", "Fan", SPEECH.format("007"), 3.8, 11.5, Noise("Computed by make_noise.py", "CC0", made=make_noise.fan), 3
    ),
    Scene("street", "Street", SPEECH.format("012"), 46.7, 54.9, STREET, 3),
    Scene("cafe", "Café", SPEECH.format("000"), 0.0, 9.2, CAFE, 6),
    Scene("rain", "Rain", SPEECH.format("005"), 4.2, 12.3, esc10("142005_0", "Rain"), 4),
    Scene("dog", "Barking dog", SPEECH.format("015"), 23.1, 31.0, esc10("122104_1", "Dog"), 3),
)


def read_audio(path: Path) -> NDArray[np.float64]:
    """Decode a file to 48 kHz mono, full scale 1. raises CalledProcessError when ffmpeg cannot."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "f32le", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.float32).astype(np.float64)


def block_powers(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean power of every 100 ms."""
    return np.mean(signal[: len(signal) // BLOCK * BLOCK].reshape(-1, BLOCK) ** 2, axis=1)


def power(signal: NDArray[np.float64]) -> float:
    """Mean power of the blocks of 100 ms that are louder than ACTIVE_DB; of all blocks when none is."""
    blocks = block_powers(signal)
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


def noise_for(corpus: Path, noise: Noise, samples: int) -> NDArray[np.float64]:
    """So many samples of a scene's noise, at any level."""
    out = np.zeros(samples)
    if noise.path:
        out = repeat(read_audio(corpus / noise.path)[int(noise.begin_s * SAMPLE_RATE) :], samples)
    if noise.made:
        made = noise.made(samples)
        out = made + out * np.sqrt(np.mean(made**2) / np.mean(out**2)) if noise.path else made
    return out


def speech_of(corpus: Path, scene: Scene) -> NDArray[np.float64]:
    """Silence for LEAD_S, then the scene's speech, at SPEECH_DB where it is active."""
    begin, end = int(scene.begin_s * SAMPLE_RATE), int(scene.end_s * SAMPLE_RATE)
    speech = read_audio(corpus / scene.speech)[begin:end]
    speech = speech * np.sqrt(10 ** (SPEECH_DB / 10) / power(speech))
    return np.concatenate([np.zeros(int(LEAD_S * SAMPLE_RATE)), speech])


def mix(corpus: Path, scene: Scene) -> NDArray[np.float64]:
    """The scene's speech, and the noise at its SNR, both counted where they are active."""
    out = speech_of(corpus, scene)
    noise = noise_for(corpus, scene.noise, len(out))
    out += noise * np.sqrt(10 ** ((SPEECH_DB - scene.snr_db) / 10) / power(noise))
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


def check_licences(corpus: Path) -> None:
    """raises SystemExit when a recording of SCENES is absent from the manifest or not free"""
    with (corpus / "manifest.csv").open(newline="") as file:
        known = {row["path"]: row["licence"] for row in csv.DictReader(file)}
    wanted = [path for scene in SCENES for path in (scene.speech, scene.noise.path) if path]
    for path in wanted:
        if not known.get(path, "none").startswith(FREE_LICENCES):
            sys.exit(f"{path} has licence {known.get(path, 'none')}; wanted one of {', '.join(FREE_LICENCES)}")


def spoken(speech: NDArray[np.float64]) -> dict[str, object]:
    """Where the speech is active, as seconds from and to, and its level there without any noise, dB full scale."""
    blocks = block_powers(speech)
    active = blocks > 10 ** (ACTIVE_DB / 10)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]))) * BLOCK / SAMPLE_RATE
    parts = [f"{begin:.1f}-{end:.1f}" for begin, end in edges.reshape(-1, 2)]
    return {"levelDb": round(float(10 * np.log10(blocks[active].mean())), 2), "seconds": " ".join(parts)}


def description(corpus: Path, scene: Scene) -> dict[str, object]:
    """What the page says of a scene; the corpus keeps what a model was trained on in folders named train."""
    noise: dict[str, object] = {
        "title": scene.noise.title,
        "licence": scene.noise.licence,
        "address": scene.noise.address,
        "heardInTraining": "/train/" in scene.noise.path,
    }
    part = f"{Path(scene.speech).stem}, {scene.begin_s} s to {scene.end_s} s"
    voice = {**VOICE, "part": part}
    about = {"voice": voice, "noise": noise, "snrDb": scene.snr_db}
    return {"name": scene.name, "title": scene.title, **about, "spoken": spoken(speech_of(corpus, scene))}


def main() -> None:
    corpus = Path(sys.argv[1])
    output = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "clips"
    check_licences(corpus)
    output.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        write_opus(output / f"{scene.name}.ogg", mix(corpus, scene))
    text = json.dumps([description(corpus, scene) for scene in SCENES], indent=2, ensure_ascii=False)
    (output / "scenes.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
