"""What the benchmark needs besides the build: peers from npm, random models, modules for their shapes, a server."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar, Self

from builder.kernels import C_FLAGS, WASM_FLAGS, WASM_VARIANTS, ZIG
from builder.paths import BUILD, MODELS
from builder.programs import run
from modules import build_modules
from sordino.chain.model import NetworkShape, random_model
from sordino.formats.generate import tiers
from sordino.formats.weight_file import weight_bytes

OUT = BUILD / "bench" / "speed"
SHIPPED = BUILD / "wasm"
PEERS = {
    "@sapphi-red/web-noise-suppressor": "0.4.1",
    "@jitsi/rnnoise-wasm": "0.2.1",
    "@timephy/rnnoise-wasm": "1.0.0",
}
CHANNELS = (8, 16, 24, 32, 48, 64)
"""Of the scaled networks."""
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


def scaled_shape(channels: int) -> NetworkShape:
    """The standard network's proportions with so many channels, a multiple of 8."""
    return NetworkShape(channels, channels // 2, channels, 2, 2 * channels)


@dataclass(frozen=True)
class Subject:
    """Weights to measure, and the folder of modules that know their shape. weights: how many."""

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


def scaled_subjects() -> list[Subject]:
    """Networks of growing size, seeded and not trained, in modules of their own."""
    models = [random_model(scaled_shape(channels), name=f"size_{channels}") for channels in CHANNELS]
    folder = OUT / "modules"
    build_modules(models, ("relaxed", "simd128"), folder)
    subjects = []
    for model in models:
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
