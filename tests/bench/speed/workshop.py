"""What the benchmark needs besides the build: peers from npm, random models, modules for their shapes, a server."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar, Self

import numpy as np

from builder.kernels import C_FLAGS, WASM_FLAGS, WASM_VARIANTS, ZIG
from builder.paths import BUILD, MODELS
from builder.programs import run
from modules import build_modules
from sordino.chain.model import Model, NetworkShape, random_model
from sordino.formats.generate import tiers
from sordino.formats.pruning import strongest_blocks
from sordino.formats.weight_file import weight_bytes

OUT = BUILD / "bench" / "speed"
SHIPPED = BUILD / "wasm"
PEERS = {
    "@sapphi-red/web-noise-suppressor": "0.4.1",
    "@jitsi/rnnoise-wasm": "0.2.1",
    "@timephy/rnnoise-wasm": "1.0.0",
}
MILLIONS = (0.25, 0.5, 1, 2, 4, 8)
GATE_DENSITY = {"reset": 0.1, "update": 0.2, "new": 0.4}
CONV2_DENSITY = 0.5
"""As a successor of the article's network is reported to be pruned, in blocks of another shape, at equal quality."""
VARIANTS = ("relaxed", "simd128", "scalar")


def install_peers() -> Path:
    """node_modules with the peers, under build/; installed once."""
    folder = OUT / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [f"{name}@{version}" for name, version in PEERS.items()]
    stamp = folder / "installed"
    if not stamp.is_file() or stamp.read_text() != "\n".join(wanted):
        (folder / "package.json").write_text('{"private": true}')
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", *wanted]
        subprocess.run(command, cwd=folder, check=True)
        stamp.write_text("\n".join(wanted))
    return folder / "node_modules"


def scaled_shape(millions: float) -> NetworkShape:
    """The standard network's proportions with about so many million weights."""
    size = 8
    while True:
        shape = NetworkShape(size // 2, size, size, size, 2, size, size // 2)
        if shape.weight_count() >= millions * 1e6:
            return shape
        size += 8


@dataclass(frozen=True)
class Subject:
    """Weights to measure, and the folder of modules that know their shape. weights: multiplications per hop."""

    name: str
    file: Path
    modules: Path
    weights: int
    trained: bool


def tier_subjects() -> list[Subject]:
    """The tiers, in the modules that ship; those without a trained model with random weights, which cost the same."""
    subjects = []
    for name, shape in tiers().items():
        trained = MODELS / f"{name}.sordino"
        if trained.is_file():
            subjects.append(Subject(name, trained, SHIPPED, shape.weight_count(), True))
            continue
        file = OUT / f"{name}.sordino"
        file.write_bytes(weight_bytes(random_model(shape, name=name)))
        subjects.append(Subject(name, file, SHIPPED, shape.weight_count(), False))
    return subjects


def pruned_by_gate(model: Model) -> Model:
    """All but the strongest blocks of every gate of the GRUs and of the second convolution set to 0."""
    weights = dict(model.weights)
    for name, w in weights.items():
        if "gru" in name and ".weight" in name:
            gates = zip(np.split(w, 3), GATE_DENSITY.values(), strict=True)
            weights[name] = np.concatenate([gate * strongest_blocks(gate, density) for gate, density in gates])
    conv = weights["conv2.weight"]
    weights["conv2.weight"] = conv * strongest_blocks(conv, CONV2_DENSITY)
    return Model(model.name, model.shape, model.look_ahead, weights, model.feature_mean, model.feature_std)


def made_subjects() -> list[Subject]:
    """Networks of growing size, next to nothing first, and `full` pruned, seeded and not trained, in modules of their
    own."""
    models = {f"size_{m:g}".replace(".", "_"): random_model(scaled_shape(m)) for m in MILLIONS}
    models["smallest"] = random_model(NetworkShape(8, 8, 8, 8, 1, 8, 8))
    models["full_sparse"] = pruned_by_gate(random_model(tiers()["full"]))
    named = [Model(n, m.shape, 2, m.weights, m.feature_mean, m.feature_std) for n, m in models.items()]
    folder = OUT / "modules"
    build_modules(named, ("relaxed", "simd128"), folder)
    subjects = []
    for model in named:
        file = folder / f"{model.name}.sordino"
        file.write_bytes(weight_bytes(model))
        subjects.append(Subject(model.name, file, folder, model.shape.weight_count(), False))
    return subjects


def compile_probes() -> None:
    for variant in ("relaxed", "simd128"):
        output = OUT / f"probe.{variant}.wasm"
        flags = ["-std=c11", *C_FLAGS, *WASM_FLAGS, *WASM_VARIANTS[variant], "-Wl,--export=probe"]
        run(*ZIG, "cc", *flags, Path(__file__).with_name("probe.c"), "-o", output)


class _Handler(SimpleHTTPRequestHandler):
    """Isolated pages have a clock of 5 microseconds instead of 100."""

    extensions_map: ClassVar[dict[str, str]] = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }
    folders: ClassVar[dict[str, Path]]

    def translate_path(self, path: str) -> str:
        root, _, rest = path.split("?")[0].lstrip("/").partition("/")
        return str(self.folders.get(root, OUT / "nowhere") / rest)

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """The terminal shows the figures."""


class Server:
    """Serves folders (first path segment -> folder) on a free port of 127.0.0.1."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"folders": folders}))
        self.origin = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
