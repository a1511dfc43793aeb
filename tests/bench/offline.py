"""Offline speed beside the peers from PyPI in one run: python3 build.py bench offline [--minutes N] [--repeats N]

Whole recordings on one core, by processor time, taken in turns; compare only figures of one run. Writes offline.json
and offline.md.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import numpy as np  # noqa: E402
import soundfile  # noqa: E402
import typer  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from bench.speed.hearing import check_denoises, denoising  # noqa: E402
from bench.speed.report import table  # noqa: E402
from bench.speed.speed import machine  # noqa: E402
from sordino import denoise  # noqa: E402
from sordino.chain.params import HOP, SAMPLE_RATE  # noqa: E402
from sordino.evaluation import denoisers, systems  # noqa: E402
from sordino.evaluation.peers import install as install_peer  # noqa: E402
from sordino.run.timing import Timing, cpu_seconds, in_turns, one_core  # noqa: E402

OUT = ROOT / "build" / "bench"
CLIPS = ROOT / "web" / "demo" / "clips"
OURS = "Sordino standard, native"
PYRNNOISE = systems.Package("pypi", "pyrnnoise", "0.4.5")
DEEPFILTERNET = next(s.package for s in systems.PEERS if s.name == "deepfilternet3" and s.package)
CHECK_SECONDS = 20
REFERENCE_SECONDS = 4
INT16_SCALE = 32768
NOTE = (
    "Processor time per minute of 48 kHz mono on one core, start of the engine included; the start alone is the cost "
    "of a recording of 10 ms. Both peers are called hop by hop through their C interfaces by ctypes, pyrnnoise without "
    "its Python layer. Compare figures of one run only."
)
Denoise = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Contestant:
    """A system ready to run: a whole recording in, the result out. seconds: as much of the recording as it gets."""

    run: Denoise
    seconds: float


def recording(minutes: float) -> np.ndarray:
    """The page's scenes in its order, again and again; (n,) float32."""
    names = [scene["name"] for scene in json.loads((CLIPS / "scenes.json").read_text())]
    clips = np.concatenate([soundfile.read(CLIPS / f"{name}.ogg", dtype="float32")[0] for name in names])
    return np.resize(clips, int(minutes * 60 * SAMPLE_RATE) // HOP * HOP)


def pyrnnoise(packages: Path) -> Denoise:
    """RNNoise as pyrnnoise ships it; its module alone is loaded, its reader of sound files is not needed."""
    spec = importlib.util.spec_from_file_location("rnnoise", packages / "pyrnnoise" / "rnnoise.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"no pyrnnoise in {packages}")
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    library, size = module.lib, module.FRAME_SIZE
    library.rnnoise_process_frame.argtypes = [module.ctypes.c_void_p] * 3

    def run(noisy: np.ndarray) -> np.ndarray:
        state, found = module.create(), noisy * np.float32(INT16_SCALE)
        start = found.ctypes.data
        for at in range(start, start + found.nbytes // (4 * size) * 4 * size, 4 * size):
            library.rnnoise_process_frame(state, at, at)
        module.destroy(state)
        return found / np.float32(INT16_SCALE)

    return run


def contestants(folder: Path, seconds: float, install: bool) -> tuple[dict[str, Contestant], dict[str, str]]:
    """Ours and the peers that can be had; and, by name, why others cannot.

    folder   of the peers' packages
    seconds  of sound there are
    install  fetch peers that are missing
    """
    found = {OURS: Contestant(partial(denoise, sample_rate=SAMPLE_RATE), seconds)}
    missing = {}
    packages = folder / "python"
    makers = {
        f"pyrnnoise {PYRNNOISE.version}": (PYRNNOISE, partial(pyrnnoise, packages)),
        f"DeepFilterNet3 ({DEEPFILTERNET.name} {DEEPFILTERNET.version})": (
            DEEPFILTERNET,
            partial(denoisers.make, "deepfilternet3", packages),
        ),
    }
    for name, (package, make) in makers.items():
        if reason := install_peer(package, folder) if install else "":
            missing[name] = reason
            continue
        try:
            found[name] = Contestant(make(), seconds)
        except (ImportError, OSError) as error:
            missing[name] = str(error)
    for engine, most in (("wasm", seconds), ("reference", REFERENCE_SECONDS)):
        run = partial(denoise, sample_rate=SAMPLE_RATE, engine=engine)
        found[f"Sordino standard, {engine}"] = Contestant(run, min(most, seconds))
    return found, missing


def check(name: str, contestant: Contestant, noisy: np.ndarray) -> dict[str, float]:
    """Run the beginning once, which warms up as well; ends the program unless the output is the input, denoised."""
    some = noisy[: int(min(CHECK_SECONDS, contestant.seconds) * SAMPLE_RATE)]
    cleaned = contestant.run(some)
    finite = bool(np.isfinite(cleaned).all())
    if len(cleaned) != len(some) or not finite:
        raise SystemExit(f"{name} gave {len(cleaned)} samples for {len(some)}, all finite: {finite}")
    found = denoising(some, cleaned)
    check_denoises(name, found)
    return found


def as_record(timing: Timing, ours: Timing) -> dict[str, Any]:
    return {
        "seconds": timing.seconds,
        "cpu_s": list(timing.cpu_s),
        "median_s": timing.median_s,
        "s_per_minute": 60 * timing.real_time_factor,
        "real_time_factor": timing.real_time_factor,
        "ratio": timing.ratio(ours),
    }


def markdown(result: dict[str, Any]) -> str:
    """The table, and what was left out."""
    head = ["", "s per minute of sound", "x real time", "x ours", "start, ms", "spread", "sound, s"]
    rows = []
    for name, found in result["systems"].items():
        spread = max(found["cpu_s"]) / min(found["cpu_s"]) - 1
        figures = [f"{found['s_per_minute']:.3f}", f"{1 / found['real_time_factor']:.0f}", f"{found['ratio']:.2f}"]
        rows.append([name, *figures, f"{found['start_ms']:.0f}", f"{spread:.0%}", f"{found['seconds']:g}"])
    m = result["machine"]
    where = f"{m['cpu']}, one of {m['cores']} cores{'' if result['pinned'] else ' (not pinned)'}, load {m['load']:.1f}"
    when = f"{m['time']}; median of {result['repeats']} turns"
    lines = [f"# Offline\n\n{where}, {when}.\n\n{table(head, rows)}\n{NOTE}\n"]
    lines += [f"\nLeft out: {name}: {reason}\n" for name, reason in result["missing"].items()]
    return "".join(lines)


def measure(minutes: float, repeats: int, folder: Path, install: bool) -> dict[str, Any]:
    """The whole run; what is in offline.json."""
    noisy = recording(minutes)
    with one_core() as pinned:
        found, missing = contestants(folder, len(noisy) / SAMPLE_RATE, install)
        checks = {name: check(name, c, noisy) for name, c in found.items()}
        starts = {name: cpu_seconds(partial(c.run, noisy[:HOP])) for name, c in found.items()}
        works = {
            name: (partial(c.run, noisy[: round(c.seconds * SAMPLE_RATE)]), c.seconds) for name, c in found.items()
        }
        timings = in_turns(works, repeats, lambda turn: print(f"turn {turn + 1} of {repeats}", flush=True))
    return {
        "machine": machine(),
        "pinned": pinned,
        "minutes": minutes,
        "repeats": repeats,
        "missing": missing,
        "systems": {
            name: {**as_record(timing, timings[OURS]), "start_ms": 1000 * starts[name], "check": checks[name]}
            for name, timing in timings.items()
        },
    }


def main(
    minutes: Annotated[float, typer.Option(min=0.1, help="Of sound.")] = 5,
    repeats: Annotated[int, typer.Option(min=3, help="Turns.")] = 3,
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = OUT,
    peers: Annotated[Path, typer.Option(help="The peers' packages.")] = OUT / "peers",
    offline: Annotated[bool, typer.Option("--offline", help="Install nothing.")] = False,
) -> None:
    """Measure whole recordings beside the peers; writes offline.json and offline.md."""
    result = measure(minutes, repeats, peers, not offline)
    out.mkdir(parents=True, exist_ok=True)
    (out / "offline.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / "offline.md").write_text(markdown(result))
    print(markdown(result))


if __name__ == "__main__":
    typer.run(main)
