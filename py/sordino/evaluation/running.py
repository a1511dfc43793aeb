"""Running: a system and a test set go in, aligned outputs as files come out, made in processes of their own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile

from sordino.params import SAMPLE_RATE

from .measures import find_lag, shift
from .systems import System
from .testset import Case

NODE_RUNNER = Path(__file__).resolve().parents[3] / "tests" / "bench" / "quality_peers.mjs"
PYTHON_RUNNER = Path(__file__).with_name("denoisers.py")
TAIL = SAMPLE_RATE // 4  # silence after a clip, so that a late system gives its end as well
MOST_LAG = SAMPLE_RATE // 5
_LAG_CLIPS = 24
_LAG_SNR_DB = 0.0


class RunError(Exception):
    """A system failed; the message has its last words."""


def runner_files(system: System) -> list[Path]:
    """Sources that decide how the system is run."""
    return [NODE_RUNNER if system.package and system.package.registry == "npm" else PYTHON_RUNNER]


def _command(system: System, jobs: Path, peers: Path) -> list[str]:
    if system.package and system.package.registry == "npm":
        return ["node", str(NODE_RUNNER), system.runner, str(peers / "npm" / "node_modules"), str(jobs)]
    return [sys.executable, "-m", "sordino.evaluation.denoisers", system.runner, str(jobs), str(peers / "python")]


def _run_some(system: System, folder: Path, jobs: list[dict], peers: Path, progress: Callable[[], None]) -> None:
    listed = folder / f"jobs-{jobs[0]['index']}.json"
    listed.write_text(json.dumps(jobs))
    with (folder / f"errors-{jobs[0]['index']}").open("w+") as errors:
        command = _command(system, listed, peers)
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            for _ in process.stdout or ():
                progress()
        if process.returncode:
            errors.seek(0)
            raise RunError(f"{system.name} ended with status {process.returncode}: {_last_words(errors.read())}")


def _last_words(text: str) -> str:
    """The line of a traceback that names the error, of Python or of Node."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next(
        (line for line in reversed(lines) if re.match(r"[\w.]*(Error|Exception)\b", line)), " ".join(lines[-3:])
    )


def run(
    system: System, clips: Path, cases: list[Case], out: Path, peers: Path, processes: int, progress: Callable[[], None]
) -> int:
    """Run a system over clips that have no output yet.

    system     what to run
    clips      folder of the set
    cases      clips to run
    out        gets 0000.flac of each clip, aligned, and lag.json once
    peers      folder of the peers' packages
    processes  how many at once
    progress   called after each clip
    returns    samples by which the system is late
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
                for done in [pool.submit(_run_some, system, folder, share, peers, progress) for share in shares]:
                    done.result()
            lag = _lag(out, clips, missing, jobs)
            for case, job in zip(missing, jobs, strict=True):
                length = soundfile.info(clips / "noisy" / f"{case.index:04d}.flac").frames
                found = shift(np.fromfile(job["output"], np.float32), lag, length)
                part = out / f"{case.index:04d}.part"
                soundfile.write(part, np.clip(found, -1, 1), SAMPLE_RATE, subtype="PCM_16", format="FLAC")
                part.rename(out / f"{case.index:04d}.flac")
    return json.loads((out / "lag.json").read_text())


def _job(folder: Path, clips: Path, case: Case) -> dict:
    noisy, _ = soundfile.read(clips / "noisy" / f"{case.index:04d}.flac", dtype="float32")
    given = folder / f"{case.index:04d}.in"
    np.pad(noisy, (0, TAIL)).tofile(given)
    return {"index": case.index, "input": str(given), "output": str(folder / f"{case.index:04d}.out")}


def _lag(out: Path, clips: Path, cases: list[Case], jobs: list[dict]) -> int:
    """The lag of a system: the median over clips that are not too noisy; kept, so that later clips get the same."""
    kept = out / "lag.json"
    if kept.is_file():
        return json.loads(kept.read_text())
    chosen = [(c, j) for c, j in zip(cases, jobs, strict=True) if c.snr_db >= _LAG_SNR_DB] or list(
        zip(cases, jobs, strict=True)
    )
    lags = []
    for case, job in chosen[:_LAG_CLIPS]:
        reference, _ = soundfile.read(clips / "clean" / f"{case.index:04d}.flac", dtype="float32")
        lags.append(find_lag(reference, np.fromfile(job["output"], np.float32), MOST_LAG))
    lag = int(np.median(lags))
    kept.write_text(json.dumps(lag))
    return lag
