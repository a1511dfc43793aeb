"""Fixtures of the web tests: the server with their pages, a browser that plays in real time, a kernel that fails."""

import contextlib
import shutil
import subprocess
import tarfile
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


JITSI = "@lyno/lib-jitsi-meet@2.6726.2"
"""A copy of the sources and the bundle; Jitsi publishes none. Of its dependencies, which npm would have to fetch from
GitHub, the bundle needs none."""


@pytest.fixture(scope="session")
def jitsi(server: Server) -> str:
    """Where the server offers lib-jitsi-meet."""
    folder = BUILD / "tests" / "jitsi"
    folder.mkdir(parents=True, exist_ok=True)
    if not (packed := sorted(folder.glob("*.tgz"))):
        try:
            npm(folder, "pack", "--silent", JITSI)
        except RuntimeError as error:
            unavailable(f"{JITSI} cannot be had: {error}")
        packed = sorted(folder.glob("*.tgz"))
    with tarfile.open(packed[0]) as archive:
        bundle = archive.extractfile("package/lib-jitsi-meet.min.js")
        assert bundle is not None
        server.data["/lib-jitsi-meet.min.js"] = bundle.read()
    return "/lib-jitsi-meet.min.js"


@pytest.fixture(scope="session")
def consumers() -> Path:
    """A project that has installed the bundlers and the platforms' packages."""
    project = BUILD / "tests" / "consumers"
    project.mkdir(parents=True, exist_ok=True)
    wanted = TESTS / "web" / "consumers"
    installed = project / "package.json"
    fresh = not installed.exists() or installed.read_bytes() != (wanted / "package.json").read_bytes()
    for file in wanted.iterdir():
        if file.name != "package.json":
            shutil.copy(file, project)
    if fresh:
        shutil.copy(wanted / "package.json", installed)
        try:
            npm(project, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock")
        except RuntimeError as error:
            installed.unlink()
            unavailable(f"the platforms' packages cannot be installed: {error}")
    return project


def npm(folder: Path, *arguments: str) -> str:
    """Run npm in a folder; returns what it prints."""
    done = subprocess.run(["npm", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        command = " ".join(arguments)
        raise RuntimeError(f"npm {command} ended with status {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
