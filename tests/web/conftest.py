"""Fixtures of the web tests: the server with their pages, a browser that plays in real time, a kernel that fails."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from browser import browsers
from browser.conftest import open_tab, running_browser, tab  # noqa: F401
from browser.server import Server
from golden.signals import clip_files, read_clip
from support import BUILD, MODELS, ROOT, TESTS, unavailable
from web.faulty import build_faulty_wasm


@pytest.fixture(scope="session")
def faulty_wasm() -> Path:
    return build_faulty_wasm()


@pytest.fixture(scope="session")
def server(faulty_wasm: Path) -> Iterator[Server]:
    """Serves the package, the pages of these tests, the faulty kernel and a noisy clip."""
    folders = {
        "pages": TESTS / "web" / "pages",
        "recorder": TESTS / "browser" / "pages",
        "dist": ROOT / "web" / "dist",
        "wasm": BUILD / "wasm",
        "models": MODELS,
        "node_modules": ROOT / "node_modules",
        "built": BUILD / "tests",
    }
    (TESTS / "web" / "pages").mkdir(exist_ok=True)
    with Server(folders) as running:
        running.data["/pages/index.html"] = b"<!doctype html><meta charset=utf-8><p>An empty page."
        running.data["/gc.js"] = b"gc();"
        running.data["/clip.f32"] = read_clip(clip_files()[0]).tobytes()
        running.data["/corrupt.sordino"] = corrupt((MODELS / "standard.sordino").read_bytes())
        running.data["/foreign.sordino"] = b"GIF89a" + bytes(5000)
        yield running


def corrupt(weights: bytes) -> bytes:
    """The same file with one bit turned over in its middle."""
    middle = len(weights) // 2
    return weights[:middle] + bytes([weights[middle] ^ 1]) + weights[middle + 1 :]


@pytest.fixture(scope="module")
def live(server: Server, playwright: Any) -> Iterator[browsers.Tab]:
    """A Chromium tab that plays in real time and grants a microphone; one per test file."""
    if reason := browsers.missing("chromium"):
        unavailable(reason)
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", "--js-flags=--expose-gc"]
    with contextlib.closing(browsers.launch(playwright, "chromium", flags)) as browser:
        fresh = browsers.PlaywrightTab("chromium", browser.new_page())
        fresh.open(f"{server.origin}/pages/index.html")
        yield fresh


def npm(folder: Path, *arguments: str) -> str:
    """Run npm in a folder; returns what it prints."""
    done = subprocess.run(["npm", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        command = " ".join(arguments)
        raise RuntimeError(f"npm {command} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
