"""A long file in the page takes no more memory than a short one, in a browser profile on the disk."""

import contextlib
import filecmp
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from browser import browsers
from browser.server import Server
from golden.signals import RATE, clip_files, read_clip
from sordino.files.audio import denoise_file
from support import unavailable

MB = 1_000_000
MOST_MB = 200
MOST_GROWTH_MB = 40
SHORT_MINUTES, LONG_MINUTES, HOUR_MINUTES = 8, 20, 60  # the heap of the script has its size after some minutes
SAMPLE_EVERY_S = 0.05
OWN = (b"Pss_Anon:", b"Pss_Shmem:")
CALL_TIMEOUT_MS = 3_000_000
CLEAN = """async (module) => {
    const answer = await (await import(module)).cleanChosen();
    const link = Object.assign(document.createElement("a"), { id: "result", href: answer.href, download: answer.name });
    link.textContent = "result";
    document.querySelector("#result")?.remove();
    document.body.prepend(link);
    return answer;
}"""
CANCEL = """async (module) => (await import(module)).cancelChosen()"""


def parents() -> dict[int, int]:
    """Process -> its parent, of all that can be read."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            found[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return found


class Memory:
    """What the processes of a browser hold of their own, in bytes.

    Pages of the program's files do not count: their share changes whenever another browser comes or goes.
    """

    def __init__(self, profile: Path) -> None:
        mark = f"--user-data-dir={profile}".encode()
        owners = {pid for pid in parents() if mark in self._read(pid, "cmdline")}
        self.root = min(owners)
        self.peak = 0

    @staticmethod
    def _read(pid: int, name: str) -> bytes:
        try:
            return Path(f"/proc/{pid}/{name}").read_bytes()
        except OSError:
            return b""

    def now(self) -> int:
        tree, above = {self.root}, parents()
        while more := {pid for pid, parent in above.items() if parent in tree} - tree:
            tree |= more
        lines = [line for pid in tree for line in self._read(pid, "smaps_rollup").splitlines()]
        return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(OWN))

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Note the peak of what is taken meanwhile."""
        self.peak, end = self.now(), threading.Event()

        def watch() -> None:
            while not end.wait(SAMPLE_EVERY_S):
                self.peak = max(self.peak, self.now())

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()


@pytest.fixture
def visitor(playwright: Any, server: Server, tmp_path: Path) -> Iterator[tuple[Any, Memory]]:
    """The page in a Chromium with a profile on the disk, and its memory; a private window keeps files in memory."""
    if reason := browsers.missing("chromium"):
        unavailable(reason)
    if not Path("/proc/self/smaps_rollup").exists():
        unavailable("this system does not tell the memory of processes in /proc")
    profile = tmp_path / "profile"
    options = {"executable_path": browsers.CHROMIUM, "args": browsers.CHROMIUM_FLAGS}
    with contextlib.closing(playwright.chromium.launch_persistent_context(profile, **options)) as context:
        page = context.pages[0]
        page.set_default_timeout(CALL_TIMEOUT_MS)
        page.goto(f"{server.origin}/demo/index.html")
        chooser = "document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'test'}))"
        page.evaluate(chooser)
        yield page, Memory(profile)


def recording(path: Path, minutes: int) -> Path:
    """Noisy speech, again and again, written piece by piece."""
    piece = np.resize(np.concatenate([read_clip(file) for file in clip_files()]), 60 * RATE)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as out:
        for _ in range(minutes):
            out.write(piece)
    return path


def clean(page: Any, server: Server, memory: Memory, path: Path) -> tuple[dict[str, Any], int]:
    """What the page says of the result, and the peak of its memory meanwhile."""
    page.set_input_files("#test", path)
    with memory.watched():
        answer = page.evaluate(CLEAN, f"{server.origin}/pages/file.js")
    return answer, memory.peak


def assert_bytes_of_the_command_line(page: Any, path: Path) -> None:
    with page.expect_download() as download:
        page.locator("#result").click()
    got, wanted = path.with_suffix(".page.wav"), path.with_suffix(".cli.wav")
    download.value.save_as(got)
    denoise_file(path, wanted)
    assert filecmp.cmp(got, wanted, shallow=False)


def test_memory_does_not_grow_with_the_length(
    visitor: tuple[Any, Memory], server: Server, tmp_path: Path, record_property
) -> None:
    page, memory = visitor
    idle = memory.now()
    short = clean(page, server, memory, recording(tmp_path / "short.wav", SHORT_MINUTES))[1]
    answer, long = clean(page, server, memory, recording(tmp_path / "long.wav", LONG_MINUTES))
    figures = {"idle": idle, f"{SHORT_MINUTES} min": short, f"{LONG_MINUTES} min": long}
    record_property("memory of the browser, MB", {name: round(size / MB) for name, size in figures.items()})
    assert answer["bytes"] == 44 + LONG_MINUTES * 60 * RATE * 2
    assert long - short < MOST_GROWTH_MB * MB, figures
    assert long - idle < MOST_MB * MB, figures


@pytest.mark.timeout(CALL_TIMEOUT_MS / 1000)
def test_an_hour(
    pytestconfig: pytest.Config, visitor: tuple[Any, Memory], server: Server, tmp_path: Path, record_property
) -> None:
    if not pytestconfig.getoption("--long"):
        pytest.skip("an hour of sound: only with --long")
    page, memory = visitor
    path = recording(tmp_path / "hour.wav", HOUR_MINUTES)
    idle, begun = memory.now(), time.monotonic()
    answer, peak = clean(page, server, memory, path)
    record_property("an hour of sound in the page, s", round(time.monotonic() - begun))
    record_property("memory of the browser, MB", {"idle": round(idle / MB), "peak": round(peak / MB)})
    assert answer["seconds"] == HOUR_MINUTES * 60
    assert peak - idle < MOST_MB * MB
    assert_bytes_of_the_command_line(page, path)
    cancelled = page.evaluate(CANCEL, f"{server.origin}/pages/file.js")
    assert (cancelled["error"], len(cancelled["kept"])) == ("AbortError", 1), "only the first result is left"
