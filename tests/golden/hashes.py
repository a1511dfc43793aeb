"""SHA-256 of what the native build makes of the golden signals, for several models and settings, and the stored ones.

    .venv/bin/pytest tests/golden/test_hashes.py --store

stores them anew. Only where the sound is meant to change: a new model, a new stage, another constant.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

import sordino
from golden.signals import Samples, golden_signals
from sordino.chain.params import HOP, SAMPLE_RATE
from sordino.chain.records import Settings
from sordino.run.engines import open_engine

STORED = Path(__file__).with_name("hashes.json")
MODELS = ("standard", "tiny")
SOME = ("rain", "pitch_glide", "levels")
"""Signals for further settings: speech in noise, every pitch, every scale."""
CASES: dict[str, tuple[str, int, Settings]] = {
    "standard, look-ahead 1": ("standard", 1, Settings()),
    "standard, look-ahead 0": ("standard", 0, Settings()),
    "standard, no post-filter": ("standard", 2, Settings(post_filter=0)),
    "standard, post-filter twice": ("standard", 2, Settings(post_filter=2)),
    "standard, at most 12 dB": ("standard", 2, Settings(floor_gain=0.25)),
    "tiny, look-ahead 0, post-filter twice, at most 12 dB": ("tiny", 0, Settings(2, 0.25)),
}
"""By name: model, frames of look-ahead, settings."""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def whole_hops(samples: Samples) -> Samples:
    return np.ascontiguousarray(samples[: samples.size - samples.size % HOP])


def read_outs(samples: Samples) -> bytes:
    """Every read-out of every hop, float32."""
    engine, rows = open_engine("native"), []
    for hop in samples.reshape(-1, HOP):
        engine.process(hop)
        d = engine.decision()
        rows.append(np.concatenate([d.gains, d.strengths, [d.voice, d.pitch_period, d.pitch_correlation]]))
    return np.array(rows, np.float32).tobytes()


def stereo(samples: Samples) -> Samples:
    """The signal to the left; to the right fainter and in noise of its own. (2, n)."""
    noise = np.random.default_rng(5).integers(-300, 300, samples.size) / 2.0**15
    return np.stack([samples, samples * np.float32(0.25) + noise.astype(np.float32)])


def weight_files() -> dict[str, str]:
    found = {}
    for name in MODELS:
        found[f"{name}.onnx"] = sha256(sordino.find_model(name).read_bytes())
        found[f"{name}.sordino"] = sha256(sordino.load_weights(sordino.find_model(name)))
    return found


def hashes() -> dict[str, dict[str, str]]:
    """By case: by signal or file, the SHA-256 of its bytes."""
    signals = {name: whole_hops(samples) for name, samples in golden_signals().items()}
    found = {"weight files": weight_files()}
    for model in MODELS:
        found[model] = {name: sha256(open_engine("native", model).process(x).tobytes()) for name, x in signals.items()}
    for case, (model, look_ahead, settings) in CASES.items():
        engines = {name: open_engine("native", model, settings, look_ahead) for name in SOME}
        found[case] = {name: sha256(engine.process(signals[name]).tobytes()) for name, engine in engines.items()}
    found["standard, read-outs"] = {name: sha256(read_outs(signals[name])) for name in SOME}
    for case, rate, linked in (
        ("two linked channels", SAMPLE_RATE, True),
        ("two independent channels", SAMPLE_RATE, False),
        ("two linked channels at 44.1 kHz", 44_100, True),
    ):
        cleaned = {name: sordino.denoise(stereo(signals[name]), rate, linked=linked) for name in SOME}
        found[case] = {name: sha256(samples.tobytes()) for name, samples in cleaned.items()}
    return found


def stored() -> dict[str, dict[str, str]]:
    return json.loads(STORED.read_text())


def store() -> None:
    STORED.write_text(json.dumps(hashes(), indent=2) + "\n")


def differences() -> list[str]:
    """Cases and signals whose bytes are not those stored; a case that only one side knows counts."""
    now, before = hashes(), stored()
    pairs = sorted({(case, name) for side in (now, before) for case, row in side.items() for name in row})
    return [f"{case}: {name}" for case, name in pairs if now.get(case, {}).get(name) != before.get(case, {}).get(name)]
