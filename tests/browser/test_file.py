"""Files in the page: the bytes of `sordino denoise`, every kind of file, clear errors, cancelling, no traces."""

import base64
import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from browser import browsers
from browser.browsers import PlaywrightTab
from browser.server import Server
from golden.signals import RATE, Samples, clip_files, read_clip
from sordino.chain.records import Settings
from sordino.files.audio import Treatment, denoise_file
from support import unavailable

# Name: sample rate, channels, libsndfile's subtype, frames; two of them need a padding byte.
LOSSLESS = {
    "mono.wav": (48_000, 1, "PCM_16", 70_001),
    "stereo.wav": (44_100, 2, "PCM_16", 61_000),
    "float.wav": (44_100, 1, "FLOAT", 30_001),
    "narrow.wav": (8_000, 2, "PCM_24", 12_345),
    "wide.wav": (96_000, 1, "PCM_U8", 50_001),
    "short.wav": (48_000, 1, "PCM_32", 1),
    "fine.flac": (48_000, 2, "PCM_24", 24_007),
}
LOSSY = {"music.mp3": ("MP3", "MPEG_LAYER_III"), "music.ogg": ("OGG", "VORBIS"), "music.opus": ("OGG", "OPUS")}
MADE_IN_PAGE = ["video.webm", "video.mp4", "sound.mkv"]
LIMIT_DB = 12
NAVIGATION_MS = 120_000
LEAST_MATCH, MOST_LAG = 0.9, RATE // 1000


@pytest.fixture
def open_demo(server: Server, playwright: Any) -> Iterator[Callable[..., PlaywrightTab]]:
    """Opens the page in a browser of its own: open_demo(name, preferences of Firefox) -> tab."""
    with contextlib.ExitStack() as stack:

        def start(name: str, **preferences: Any) -> PlaywrightTab:
            if reason := browsers.missing(name):
                unavailable(reason)
            browser = stack.enter_context(
                contextlib.closing(browsers.launch(playwright, name, preferences=preferences))
            )
            tab = PlaywrightTab(name, browser.new_page())
            tab.page.set_default_navigation_timeout(NAVIGATION_MS)
            tab.open(f"{server.origin}/demo/index.html")
            return tab

        yield start


def speech(channels: int, frames: int) -> Samples:
    """Noisy speech, another recording in each channel, at times beyond full scale."""
    clips = clip_files()
    return np.stack([4 * np.resize(read_clip(clips[c % len(clips)])[RATE:], frames) for c in range(channels)])


def write(path: Path, rate: int, samples: Samples, **kind: str) -> Path:
    soundfile.write(path, samples.T, rate, **kind)
    return path


def offer(server: Server, path: Path) -> str:
    server.data[f"/files/{path.name}"] = path.read_bytes()
    return f"{server.origin}/files/{path.name}"


def call(tab: PlaywrightTab, server: Server, function: str, *parameters: Any) -> Any:
    return tab.call(f"{server.origin}/pages/file.js", function, *parameters)


def command_line(path: Path, treatment: Treatment | None = None) -> bytes:
    """What `sordino denoise` makes of the file."""
    target = path.with_name(f"{path.name}.clean.wav")
    denoise_file(path, target, treatment, overwrite=True)
    return target.read_bytes()


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_the_bytes_of_the_command_line(
    open_demo: Any, server: Server, tmp_path: Path, name: str, record_property
) -> None:
    tab = open_demo(name)
    for file, (rate, channels, subtype, frames) in LOSSLESS.items():
        samples = speech(channels, frames)
        if subtype == "FLOAT":
            samples[:, 5_000] = np.nan
        path = write(tmp_path / file, rate, samples, subtype=subtype)
        answer = call(tab, server, "cleanFile", offer(server, path))
        assert "error" not in answer, (file, answer)
        assert (answer["sampleRate"], answer["channels"], answer["seconds"]) == (rate, channels, frames / rate)
        assert (answer["name"], answer["type"]) == (f"{path.stem}-clean.wav", "audio/wav")
        assert base64.b64decode(answer["bytes"]) == command_line(path), file
        assert answer["kept"] == []
    record_property(f"files in {name}", f"{len(LOSSLESS)} as `sordino denoise` writes them")


def test_the_options_of_the_command_line(open_demo: Any, server: Server, tmp_path: Path) -> None:
    path = write(tmp_path / "stereo.wav", 44_100, speech(2, 50_000), subtype="PCM_16")
    treatment = Treatment(settings=Settings(0, 10 ** (-LIMIT_DB / 20)), linked=True)
    options = {"attenuationLimitDb": LIMIT_DB, "linked": True}
    answer = call(open_demo("chromium"), server, "cleanFile", offer(server, path), options)
    assert base64.b64decode(answer["bytes"]) == command_line(path, treatment) != command_line(path)


def compare(answer: dict[str, Any], clean: Samples) -> tuple[float, int]:
    """How well the answer correlates with these samples, and how many samples later it is."""
    assert "error" not in answer, answer
    got, rate = soundfile.read(io.BytesIO(base64.b64decode(answer["bytes"])), dtype="float32", always_2d=True)
    assert rate == RATE and abs(got.shape[0] - clean.size) < RATE / 10, (rate, got.shape)
    length = min(clean.size, got.shape[0])
    spectrum = np.fft.rfft(got[:length, 0], 2 * length) * np.conj(np.fft.rfft(clean[:length], 2 * length))
    matches = np.fft.irfft(spectrum)
    lag = int((matches.argmax() + length) % (2 * length)) - length
    return float(matches.max() / np.linalg.norm(got[:length, 0]) / np.linalg.norm(clean[:length])), lag


@pytest.mark.parametrize("name", ["chromium", "firefox", "firefox without WebCodecs"])
def test_compressed_files(open_demo: Any, server: Server, tmp_path: Path, name: str, record_property) -> None:
    noisy = speech(1, 3 * RATE) / 4
    plain = write(tmp_path / "plain.wav", RATE, noisy, subtype="PCM_16")
    clean = soundfile.read(io.BytesIO(command_line(plain)), dtype="float32")[0]
    without = name.endswith("WebCodecs")
    tab = open_demo("firefox", **{"dom.media.webcodecs.enabled": False}) if without else open_demo(name)
    assert tab.page.evaluate("typeof AudioDecoder === 'undefined'") == without
    files = {file: write(tmp_path / file, RATE, noisy, format=kind, subtype=sub) for file, (kind, sub) in LOSSY.items()}
    addresses = {file: offer(server, path) for file, path in files.items()}
    if name == "chromium":
        offer(server, plain)
        for file in MADE_IN_PAGE:
            made = tab.call(f"{server.origin}/pages/media.js", "mux", file, f"{server.origin}/files/plain.wav")
            server.data[f"/files/{file}"] = base64.b64decode(made)
            addresses[file] = f"{server.origin}/files/{file}"
    answers = {file: call(tab, server, "cleanFile", address) for file, address in addresses.items()}
    found = {file: compare(answer, clean) for file, answer in answers.items()}
    record_property(f"compressed files in {name}: correlation with the cleaned original, lag in samples", found)
    assert all(match > LEAST_MATCH and abs(lag) <= MOST_LAG for match, lag in found.values()), found


def test_errors(open_demo: Any, server: Server, tmp_path: Path) -> None:
    tab = open_demo("chromium")
    silent = tab.call(f"{server.origin}/pages/media.js", "mux", "silent.webm", None)
    broken = {
        "words.wav": (b"These are words, not samples.\n" * 40, "not-audio"),
        "empty.mp3": (b"", "not-audio"),
        "silent.webm": (base64.b64decode(silent), "no-audio-track"),
        "header.wav": (b"RIFF\x24\x00\x00\x00WAVEjunk\x00\x00\x00\x00", "damaged"),
    }
    for file, (data, code) in broken.items():
        server.data[f"/files/{file}"] = data
        answer = call(tab, server, "cleanFile", f"{server.origin}/files/{file}")
        assert (answer.get("error"), answer.get("code"), answer["kept"]) == ("FileError", code, []), (file, answer)
    path = offer(server, write(tmp_path / "good.wav", RATE, speech(1, RATE), subtype="PCM_16"))
    answer = call(tab, server, "cleanFile", path, {"model": "nobody"})
    assert (answer["code"], answer["kept"]) == ("engine", [])
    assert "404" in answer["message"]


def test_a_full_disk(open_demo: Any, server: Server, tmp_path: Path) -> None:
    tab = open_demo("chromium")
    address = offer(server, write(tmp_path / "large.wav", RATE, speech(2, 20 * RATE), subtype="PCM_16"))
    devtools = tab.page.context.new_cdp_session(tab.page)
    devtools.send("Storage.overrideQuotaForOrigin", {"origin": server.origin, "quotaSize": 2_000_000})
    answer = call(tab, server, "cleanFile", address)
    assert (answer.get("code"), answer["kept"]) == ("disk-full", [])


@pytest.mark.parametrize("name", ["chromium", "firefox"])
def test_cancelling(open_demo: Any, server: Server, tmp_path: Path, name: str) -> None:
    address = offer(server, write(tmp_path / "minutes.wav", RATE, np.tile(speech(1, 10 * RATE), 30), subtype="PCM_16"))
    answer = call(open_demo(name), server, "cancelFile", address)
    assert (answer["error"], answer["kept"]) == ("AbortError", [])


def test_cancelling_where_the_decoder_never_answers(open_demo: Any, server: Server, tmp_path: Path) -> None:
    tab = open_demo("chromium")
    mute = "AudioDecoder.prototype.decode = () => {}; AudioDecoder.prototype.flush = () => new Promise(() => {});"
    script = (server.find("/demo/file.worker.js") or b"").decode()
    tab.page.route("**/file.worker.js", lambda route: route.fulfill(content_type="text/javascript", body=mute + script))
    path = write(tmp_path / "music.opus", RATE, speech(1, RATE), format="OGG", subtype="OPUS")
    answer = call(tab, server, "cancelStuck", offer(server, path))
    assert (answer["error"], answer["kept"]) == ("TimeoutError", [])
