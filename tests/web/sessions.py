"""The audio thread's code in Node: whole signals through a session, with actions at exact samples."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from support import BUILD, MODELS, ROOT, TESTS

Samples = NDArray[np.float32]
RATE = 48_000
KERNEL = {"wasm": str(BUILD / "wasm" / "sordino.simd128.wasm"), "weights": str(MODELS / "standard.sordino")}
CLICK = 1e-3
"""A step of -60 dB full scale."""


@dataclass(frozen=True)
class Result:
    """output [channels, samples]; replies: what the page would have been told, `at` in samples."""

    output: Samples
    replies: list[dict[str, Any]]

    @property
    def latency(self) -> int:
        return [reply["latencySamples"] for reply in self.replies if "latencySamples" in reply][-1]

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [reply for reply in self.replies if reply["type"] == kind]


def run_sessions(runs: list[tuple[Samples, dict[str, Any]]]) -> list[Result]:
    """Each run is an input, [channels, samples] or [samples], and a request as in harness.mjs, which has defaults."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        requests = []
        for index, (samples, request) in enumerate(runs):
            planar = np.atleast_2d(samples).astype(np.float32)
            (folder / f"{index}.input.f32").write_bytes(planar.tobytes())
            requests.append({"rate": RATE, "quantum": 128, "channels": planar.shape[0], **KERNEL, **request})
        (folder / "request.json").write_text(json.dumps(requests))
        done = subprocess.run(["node", TESTS / "web" / "harness.mjs", folder], cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"the harness ended with status {done.returncode}:\n{done.stderr}")
        answers = json.loads((folder / "answer.json").read_text())
        results = []
        for index, (request, answer) in enumerate(zip(requests, answers, strict=True)):
            output = np.fromfile(folder / f"{index}.output.f32", np.float32).reshape(request["channels"], -1)
            results.append(Result(output[:, : answer["played"]], answer["replies"]))
        return results


def run_session(samples: Samples, **request: Any) -> Result:
    return run_sessions([(samples, request)])[0]


def tone(hz: float, seconds: float, rate: int = RATE, level: float = 0.5) -> Samples:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def roughness(x: Samples) -> float:
    """Largest bend between neighbouring samples: a step of s shows as s, a low tone as almost nothing."""
    return float(np.abs(np.diff(x.astype(np.float64), n=2)).max())


def steepness(x: Samples) -> float:
    """Largest difference between neighbouring samples."""
    return float(np.abs(np.diff(x.astype(np.float64))).max())


def least_level_db(x: Samples, reference: Samples) -> float:
    """Level of the faintest 10 ms of x against the level of the reference."""
    frames = x[: x.size - x.size % 480].reshape(-1, 480)
    return float(10 * np.log10(np.square(frames).mean(axis=1).min() / np.square(reference).mean() + 1e-12))
