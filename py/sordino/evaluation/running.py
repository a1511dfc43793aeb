"""Running: a system and a test set go in, aligned outputs as files come out, made in processes of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from sordino.chain.params import SAMPLE_RATE
from sordino.run.engines import find_wasm

from .fingerprint import HERE, PACKAGE, content
from .measures import find_lag, shift
from .ours import parse, weights
from .systems import ORACLES, System
from .testset import Case

NODE_RUNNER = Path(__file__).resolve().parents[3] / "tests" / "bench" / "quality_peers.mjs"
PYTHON_RUNNER = Path(__file__).with_name("denoisers.py")
TAIL = SAMPLE_RATE // 4  # silence after a clip, so that a late system gives its end as well
MOST_LAG = SAMPLE_RATE // 5
_LAG_CLIPS = 24
_LAG_SNR_DB = 0.0
_COST_QUANTILE = 0.25
OUR_MODULE = "sordino.simd128.wasm"  # which every Node runs; with relaxed SIMD it is quicker


class RunError(Exception):
    """A system failed; the message has its last words."""


@dataclass(frozen=True)
class Manner:
    """How a system answers."""

    lag: int  # samples
    cost: float  # processor time over the time of the sound, of the quicker clips


def in_node(system: System) -> bool:
    """Whether Node runs the system."""
    return bool(system.package and system.package.registry == "npm") or _is_our_module(system)


def _is_our_module(system: System) -> bool:
    return system.family == "ours" and parse(system.name).arithmetic == "wasm"


def fingerprint(system: System) -> str:
    """Of what decides a system's output: its package's version, our model and kernels, the sources that run it."""
    if system.family == "folder":
        return content(path for path in sorted(Path(system.runner).rglob("*")) if path.is_file())
    files = [NODE_RUNNER if in_node(system) else PYTHON_RUNNER]
    if system.family in ("ours", "oracle") and system.name not in ORACLES:
        variant = parse(system.name)
        files += [variant.path, HERE / "ours.py", PACKAGE / "formats" / "weight_file.py"]
        files += sorted(PACKAGE.glob("_native*.so"))
        files += [find_wasm(OUR_MODULE)] if variant.arithmetic == "wasm" else []
        files += sorted((PACKAGE / "chain").glob("*.py")) if variant.arithmetic == "float" else []
    if system.family == "oracle":
        files += [HERE / "oracle.py", *sorted((PACKAGE / "train").glob("*.py"))]
    return content(files, system.runner, str(system.package))


def _command(system: System, jobs: Path, peers: Path) -> list[str]:
    if not in_node(system):
        return [sys.executable, "-m", "sordino.evaluation.denoisers", system.runner, str(jobs), str(peers / "python")]
    words = ["node", str(NODE_RUNNER), system.runner, str(peers / "npm" / "node_modules"), str(jobs)]
    if _is_our_module(system):
        variant, kept = parse(system.name), jobs.with_suffix(".sordino")
        kept.write_bytes(weights(variant))
        facts: dict[str, Any] = {"module": str(find_wasm(OUR_MODULE)), "weights": str(kept)}
        facts |= {"postFilter": variant.settings.post_filter, "floorGain": variant.settings.floor_gain}
        words[2:3] = ["sordino"]
        words.append(json.dumps(facts))
    return words


def _run_some(
    system: System, folder: Path, jobs: list[dict[str, Any]], peers: Path, progress: Callable[[], None]
) -> dict[str, float]:
    """Run some jobs in one process; the processor time of each, in seconds, by its output."""
    listed = folder / f"jobs-{jobs[0]['index']}.json"
    listed.write_text(json.dumps(jobs))
    took = {}
    with (folder / f"errors-{jobs[0]['index']}").open("w+") as errors:
        command = _command(system, listed, peers)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            for line in process.stdout or ():
                path, _, seconds = line.rstrip().partition("\t")
                took[path] = float(seconds)
                progress()
        if process.returncode:
            errors.seek(0)
            raise RunError(f"{system.name} ended with status {process.returncode}: {_last_words(errors.read())}")
    return took


def _last_words(text: str) -> str:
    """The line of a traceback that names the error, of Python or of Node."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next(
        (line for line in reversed(lines) if re.match(r"[\w.]*(Error|Exception)\b", line)), " ".join(lines[-3:])
    )


def run(
    system: System, clips: Path, cases: list[Case], out: Path, peers: Path, processes: int, progress: Callable[[], None]
) -> Manner:
    """Run a system over clips that have no output yet.

    system     what to run
    clips      folder of the set
    cases      clips to run
    out        gets 0000.flac of each clip, aligned, and manner.json once
    peers      folder of the peers' packages
    processes  how many at once
    progress   called after each clip
    returns    lag and cost
    raises     RunError
    """
    out.mkdir(parents=True, exist_ok=True)
    missing = [case for case in cases if not (out / f"{case.index:04d}.flac").is_file()]
    if missing:
        with tempfile.TemporaryDirectory(dir=out) as name:
            folder = Path(name)
            jobs = [_job(folder, clips, case) for case in missing]
            with ThreadPoolExecutor(processes) as pool:
                shares = [jobs[first::processes] for first in range(min(processes, len(jobs)))]
                running = [pool.submit(_run_some, system, folder, share, peers, progress) for share in shares]
                took = {path: seconds for done in running for path, seconds in done.result().items()}
            manner = _manner(out, clips, missing, jobs, took)
            for case, job in zip(missing, jobs, strict=True):
                length = soundfile.info(clips / "noisy" / f"{case.index:04d}.flac").frames
                found = shift(np.fromfile(job["output"], np.float32), manner.lag, length)
                part = out / f"{case.index:04d}.part"
                soundfile.write(part, np.clip(found, -1, 1), SAMPLE_RATE, subtype="PCM_16", format="FLAC")
                part.rename(out / f"{case.index:04d}.flac")
    return Manner(**json.loads((out / "manner.json").read_text()))


def _job(folder: Path, clips: Path, case: Case) -> dict[str, Any]:
    paths = {kind: folder / f"{case.index:04d}.{kind}" for kind in ("noisy", "clean", "output")}
    for kind in ("noisy", "clean"):
        samples, _ = soundfile.read(clips / kind / f"{case.index:04d}.flac", dtype="float32")
        np.pad(samples, (0, TAIL)).tofile(paths[kind])
    job = {"input": paths["noisy"], "clean": paths["clean"], "output": paths["output"]}
    return {"index": case.index} | {name: str(path) for name, path in job.items()}


def _manner(out: Path, clips: Path, cases: list[Case], jobs: list[dict[str, Any]], took: dict[str, float]) -> Manner:
    """How the system answers; kept, so that later clips get the same lag.

    The lag is the median over clips that are not too noisy. The cost is the lower quartile, which other work on the
    machine disturbs least.
    """
    kept = out / "manner.json"
    if kept.is_file():
        return Manner(**json.loads(kept.read_text()))
    pairs = list(zip(cases, jobs, strict=True))
    lags, costs = [], []
    for case, job in ([pair for pair in pairs if pair[0].snr_db >= _LAG_SNR_DB] or pairs)[:_LAG_CLIPS]:
        reference, _ = soundfile.read(clips / "clean" / f"{case.index:04d}.flac", dtype="float32")
        found = np.fromfile(job["output"], np.float32)
        lags.append(find_lag(reference, found, MOST_LAG))
        costs.append(took[job["output"]] * SAMPLE_RATE / len(found))
    manner = Manner(int(np.median(lags)), float(np.quantile(costs, _COST_QUANTILE)))
    kept.write_text(json.dumps(asdict(manner)))
    return manner
