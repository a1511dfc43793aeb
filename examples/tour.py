# %% [markdown]
# # A tour of Sordino
# Load a noisy recording, clean it, look at it, measure it, stream it, export the model.
# Needs `pip install 'sordino[plot,onnx]'`. Run it cell by cell in an editor, or as a program:
# `python examples/tour.py [noisy.wav]`; the results go to the folder `tour/`.

# %% Load
import sys
from pathlib import Path

import numpy as np
import soundfile

import sordino
from sordino.files import picture
from sordino.formats.onnx import read_onnx
from sordino.formats.weight_file import write_weights

out = Path("tour")
out.mkdir(exist_ok=True)
given = [a for a in sys.argv[1:] if Path(a).suffix in (".wav", ".flac", ".ogg")]
if given:
    noisy, rate = soundfile.read(given[0], dtype="float32", always_2d=True)
    noisy = np.ascontiguousarray(noisy.T)  # channels first
    clean = None
else:
    # No recording at hand: ten gliding harmonics in syllables, in noise at 5 dB.
    rate = 48_000
    t = np.arange(6 * rate) / rate
    phase = 2 * np.pi * np.cumsum(130 + 40 * np.sin(2 * np.pi * 0.4 * t)) / rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 25)) * (np.sin(2 * np.pi * 1.7 * t) > 0)
    clean = (0.1 * voice).astype(np.float32)[None]
    noise = np.random.default_rng(1).standard_normal(clean.shape).astype(np.float32)
    noisy = clean + noise * np.float32(np.std(clean) / np.std(noise) * 10 ** (-5 / 20))
print(f"{noisy.shape[0]} channels, {noisy.shape[1] / rate:.1f} s at {rate} Hz")

# %% Denoise
# One call; linked: stereo keeps its image. The result is aligned with the input and as long.
denoised = sordino.denoise(noisy, rate, linked=True)
gentle = sordino.denoise(noisy, rate, linked=True, attenuation_limit_db=12)
soundfile.write(out / "denoised.wav", denoised.T, rate)
soundfile.write(out / "gentle.wav", gentle.T, rate)

# %% Plot
soundfile.write(out / "noisy.wav", noisy.T, rate, subtype="FLOAT")
story = picture.follow(picture.read_mono(out / "noisy.wav", 0, 20))
picture.draw(story, "before and after", out / "before_and_after.png")


# %% Evaluate
def si_sdr_db(estimate: np.ndarray, target: np.ndarray) -> float:
    """Scale-invariant signal to distortion ratio."""
    scaled = target * np.vdot(estimate, target) / np.vdot(target, target)
    return float(10 * np.log10(np.sum(scaled**2) / np.sum((estimate - scaled) ** 2)))


def level_db(samples: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples**2)) + 1e-9))


print(f"level before {level_db(noisy):.1f} dB, after {level_db(denoised):.1f} dB")
if clean is not None:
    print(f"SI-SDR before {si_sdr_db(noisy, clean):.1f} dB, after {si_sdr_db(denoised, clean):.1f} dB")

# %% Stream
# Blocks of any size in, as many samples out, `latency` samples later; the same bytes as offline.
stream = sordino.Denoiser(rate, noisy.shape[0], linked=True, block_size=rate // 100)
blocks, speech = [], []
for start in range(0, noisy.shape[1] // (rate // 100) * (rate // 100), rate // 100):
    blocks.append(stream.process(noisy[:, start : start + rate // 100]))
    speech.append(stream.voice)
streamed = np.concatenate(blocks, axis=1)[:, stream.latency :]
assert np.array_equal(streamed, denoised[:, : streamed.shape[1]])
print(f"latency {1000 * stream.latency / rate:.1f} ms, speech probability {np.mean(speech):.2f} on average")

# %% Export
# The float model (ONNX), and the 8-bit weights that the native and the WebAssembly build read.
model = read_onnx(sordino.find_model("standard"))
size = write_weights(model, out / "standard.sordino")
print(f"{model.shape.weight_count():,} weights in {size:,} bytes, look-ahead {model.look_ahead} frames")
again = sordino.denoise(noisy, rate, linked=True, model=out / "standard.sordino")
assert np.array_equal(again, denoised)
