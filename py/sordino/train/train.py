"""Train: a config and a corpus go in, checkpoints and a log come out; may be killed at any time and resumed.

`python -m sordino.train.train --config standard --corpus CORPUS/manifest.csv --out RUN --minutes 80`

On a CPU several single-threaded processes each draw their own mixtures and average their gradients; on a GPU
one process does everything on the device.
"""

from __future__ import annotations

import ctypes
import json
import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
from torch import Tensor

from sordino.chain.model import Model
from sordino.data.cache import build_cache
from sordino.data.clips import STORES, load_store
from sordino.data.manifest import manifest_sha256
from sordino.formats.onnx import read_onnx
from sordino.train.bank import Bank, make_bank
from sordino.train.checkpoint import load_checkpoint, save_checkpoint
from sordino.train.config import Config, from_record
from sordino.train.dataset import Source, Statistics, estimate_statistics
from sordino.train.listener import weights_path
from sordino.train.mixing import Mixer
from sordino.train.network import Network
from sordino.train.optimise import Learner, rate_at
from sordino.train.validate import make_validation, validate

_VALID_SEED = 2**41
_MALLOC_TRIM, _MALLOC_MMAP = -1, -3


@dataclass(frozen=True)
class Job:
    """What every process of a run is told."""

    config: Config
    cache: Path
    out: Path
    minutes: float
    resume: bool
    device: str
    seed: int
    manifest_sha256: str
    processes: int
    max_steps: int
    start_from: Path | None = None


def keep_memory() -> None:
    """Ask glibc not to give large blocks back after each use: mapping them anew costs more than the arithmetic."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_MALLOC_MMAP, 1 << 30)
        libc.mallopt(_MALLOC_TRIM, 2**31 - 1)
    except (OSError, AttributeError):
        pass  # another C library: slower, not wrong


def load_bank(cache: Path, split: str, config: Config, device: torch.device, noises: str = "") -> Bank:
    """Load the clips of one split that the config allows; `noises` names another for all that is not speech."""
    stores = {kind: load_store(cache, kind, split if "speech" in kind else noises or split) for kind in STORES}
    data = config.data
    return make_bank(stores, data.exclude_speech, data.exclude_noise, data.snr_floor_db, device, data.voice_limit)


class Run:
    """One process of a training run.

    job   what to do
    rank  0 also validates, logs and writes checkpoints
    bank  clips to train on
    """

    def __init__(self, job: Job, rank: int, bank: Bank, valid_bank: Bank | None) -> None:
        self.job, self.rank, self.bank = job, rank, bank
        config = job.config
        self.device = bank.samples.device
        torch.manual_seed(job.seed)
        self.learner = Learner(Network(config.network).to(self.device), config)
        self.mixer = Mixer(bank, config.mixing)
        self.late_mixer = Mixer(bank, replace(config.mixing, frames=config.schedule.late_frames))
        self.elapsed, self.heard, self.fresh, self.seed_offset = 0.0, 0.0, 0.0, 0
        self.origin: dict[str, Any] = {}
        saved = load_checkpoint(job.out / "last.pt") if job.resume else None
        if saved:
            self._restore(saved)
        elif job.start_from:
            self._start_from(read_onnx(job.start_from))
        else:
            self.statistics = estimate_statistics(self.mixer, config.look_ahead)
        self.late = False
        self.source = self._make_source(self.mixer, late=False)
        if rank == 0:
            valid_mixer = Mixer(valid_bank or bank, replace(config.mixing, frames=400))
            self.valid = make_validation(valid_mixer, _VALID_SEED, config)

    def _make_source(self, mixer: Mixer, late: bool) -> Source:
        job, schedule = self.job, self.job.config.schedule
        if self.device.type == "cuda":
            rows = schedule.gpu_late_rows if late else schedule.gpu_rows
        else:
            rows = schedule.late_rows if late else schedule.rows
        first = job.seed * 1_000_003 + self.seed_offset + self.rank
        look_ahead, bins = job.config.look_ahead, job.config.loss.spectral_bins
        return Source(mixer, rows, look_ahead, bins, schedule, first, job.processes)

    def _start_from(self, model: Model) -> None:
        weights = {name: torch.from_numpy(value).to(self.device) for name, value in model.weights.items()}
        self.learner.network.load_state_dict(weights)
        self.learner.ema.load_state_dict(weights)
        mean, std = torch.from_numpy(model.feature_mean), torch.from_numpy(model.feature_std)
        self.statistics = Statistics(mean, std).to(self.device)
        self.origin = model.record
        self.heard, self.fresh = (3600 * model.record.get(key, 0.0) for key in ("hours", "fresh_hours"))

    def _restore(self, saved: dict[str, Any]) -> None:
        self.learner.restore(saved)
        self.statistics = Statistics(saved["feature_mean"], saved["feature_std"]).to(self.device)
        self.elapsed, self.heard, self.fresh = saved["elapsed"], saved["hours"] * 3600, saved["fresh_hours"] * 3600
        self.seed_offset, self.origin = saved["next_seed"], saved["started_from"]

    def progress(self) -> float:
        """Part of the run that is over, 0..1, as process 0 sees it."""
        part = min(1.0, self.elapsed / (60 * self.job.minutes))
        if self.job.max_steps:
            part = max(part, min(1.0, self.learner.steps / self.job.max_steps))
        return part

    def step(self, progress: float) -> Tensor:
        """Take one optimiser step; return the loss terms as a vector."""
        schedule = self.job.config.schedule
        if progress >= schedule.late_from and not self.late:
            self.late, self.seed_offset = True, self._next_seed()
            self.fresh += self.source.fresh_seconds * self.job.processes
            self.source = self._make_source(self.late_mixer, late=True)
        example = self.source.draw()
        self.heard += example.features.shape[0] * example.features.shape[1] / 100 * self.job.processes
        features = self.statistics.normalise(example.features)
        rate = rate_at(schedule, self.learner.steps, progress)
        return self.learner.step(example, features, rate, progress >= schedule.qat_from)

    def _next_seed(self) -> int:
        """Seeds used so far by the slowest count: every process takes the same number of steps."""
        return self.source.seed - self.rank - self.job.seed * 1_000_003

    def checkpoint(self) -> None:
        """Write last.pt."""
        fresh = self.fresh + self.source.fresh_seconds * self.job.processes
        state = self.learner.state() | {
            "feature_mean": self.statistics.mean.cpu(),
            "feature_std": self.statistics.std.cpu(),
            "config": self.job.config.to_dict(),
            "seed": self.job.seed,
            "manifest_sha256": self.job.manifest_sha256,
            "hours": self.heard / 3600,
            "fresh_hours": fresh / 3600,
            "elapsed": self.elapsed,
            "next_seed": self._next_seed(),
            "started_from": self.origin,
        }
        save_checkpoint(state, self.job.out / "last.pt")

    def report(self, terms: Tensor, progress: float) -> None:
        """Validate the averaged weights, then print and append one line of the log."""
        quantised = progress >= self.job.config.schedule.qat_from
        found = validate(self.learner.ema, self.valid, self.statistics, self.job.config, quantised)
        names = ("loss", "gain", "strength", "voice", "spectral", "perceptual", "level", "listener")
        line: dict[str, Any] = {
            "step": self.learner.steps,
            "minutes": round(self.elapsed / 60, 2),
            "hours": round(self.heard / 3600, 2),
            "rate": rate_at(self.job.config.schedule, self.learner.steps, progress),
            "quantised": quantised,
            "train": dict(zip(names, [round(x, 5) for x in terms.tolist()], strict=True)),
            "valid": {name: round(value, 5) for name, value in found.items()},
        }
        with (self.job.out / "log.jsonl").open("a") as stream:
            stream.write(json.dumps(line) + "\n")
        left = self.job.minutes - self.elapsed / 60
        print(
            f"step {line['step']} | {line['minutes']:.1f} min, {left:.1f} left | {line['hours']:.1f} h | "
            f"loss {line['train']['loss']:.4f} | valid {found['loss']:.4f} "
            f"(gain {found['gain']:.4f} spectral {found['spectral']:.4f} perceptual {found['perceptual']:.3f} "
            f"level {found['level']:.3f} listener {found['listener']:.3f}) "
            f"bias {found['bias_db']:+.2f} dB "
            f"pause {found['pause_db']:.1f} dB{' | int8' if quantised else ''}",
            flush=True,
        )

    def run(self) -> None:
        """Step until the minutes are over."""
        schedule = self.job.config.schedule
        clock, last_report, average = time.monotonic(), -1e9, None
        parent = os.getppid()
        while True:
            if self.job.processes > 1 and os.getppid() != parent:
                raise SystemExit("training stopped: the process that started it has ended")
            now = time.monotonic()
            self.elapsed, clock = self.elapsed + now - clock, now
            progress = _agree(self.progress(), self.job.processes)
            due = self.elapsed - last_report > 60 * schedule.validate_minutes or progress >= 1
            if self.rank == 0 and due and average is not None:
                self.report(average, progress)
                self.checkpoint()
                last_report = self.elapsed
            if progress >= 1:
                return
            terms = self.step(progress)
            average = terms if average is None else average * 0.98 + terms * 0.02


def _check_start(model: Model, config: Config) -> None:
    got, wanted = (model.shape, model.look_ahead), (config.network, config.look_ahead)
    if got != wanted:
        raise ValueError(f"the model to start from has shape and look-ahead {got}, the config wants {wanted}")


def _agree(progress: float, processes: int) -> float:
    """Give every process the clock of process 0."""
    if processes == 1:
        return progress
    value = torch.tensor([progress])
    dist.broadcast(value, 0)
    return float(value)


def _worker(rank: int, job: Job, port: int) -> None:
    """Body of one process."""
    keep_memory()
    device = torch.device(job.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    if job.processes > 1:
        address = f"tcp://127.0.0.1:{port}"
        dist.init_process_group("gloo", init_method=address, rank=rank, world_size=job.processes)
    bank = load_bank(job.cache, "train", job.config, device)
    valid = load_bank(job.cache, "valid", job.config, device) if rank == 0 else None
    Run(job, rank, bank, valid).run()
    if job.processes > 1:
        dist.destroy_process_group()


def train(
    config: Config,
    corpus: Path,
    cache: Path,
    out: Path,
    minutes: float,
    resume: bool = False,
    device: str = "cpu",
    seed: int = 1,
    max_steps: int = 0,
    start_from: Path | None = None,
) -> None:
    """Train a network.

    config     sizes and settings; when resuming, the one in the checkpoint is taken
    corpus     manifest.csv, or the folder that holds it
    cache      folder of decoded clips, made when missing
    out        folder of the run: last.pt, log.jsonl
    minutes    length of the whole run, earlier parts included
    resume     go on from out/last.pt
    device     "cpu" or "cuda"
    seed       of weights and mixtures
    max_steps  also end after so many steps; 0: no such limit
    start_from an .onnx model of the same shape and look-ahead, whose weights are trained further
    raises     CorpusError, ValueError, ModelError, EngineError
    """
    if start_from:
        _check_start(read_onnx(start_from), config)
    if config.loss.listener:
        weights_path()  # says now what is missing, not after the corpus was decoded
    manifest = corpus / "manifest.csv" if corpus.is_dir() else corpus
    build_cache(manifest, cache)
    out.mkdir(parents=True, exist_ok=True)
    if resume:
        saved = load_checkpoint(out / "last.pt")
        config, seed = from_record(saved["config"]), saved["seed"]
    processes = config.schedule.processes if device == "cpu" else 1
    job = Job(config, cache, out, minutes, resume, device, seed, manifest_sha256(manifest), processes, max_steps)
    _start(replace(job, start_from=start_from))


def _start(job: Job) -> None:
    """Do a job in as many processes as it says, and wait for them."""
    if job.processes == 1:
        _worker(0, job, 0)
        return
    port = 20000 + (hash(str(job.out)) + time.time_ns()) % 20000
    multiprocessing.start_processes(_worker, (job, port), nprocs=job.processes, start_method="spawn")
