"""Measures that a clean recording and a denoised one give beside the standard scores: what was kept, what was left.

Signals are (n,) float32 at 48 kHz, aligned. Frames are those of the chain: WINDOW samples every HOP.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import HOP, SAMPLE_RATE, WINDOW

Signal = NDArray[np.float32]
BIN_HZ = SAMPLE_RATE / WINDOW
SPEECH_DB = -20.0  # hops above are speech, relative to the active level
QUIET_DB = -30.0  # hops below hold no speech
QUIET_HOPS = 15  # so much quiet makes the next word an onset
PAUSE_MARGIN_HOPS = 8  # pauses keep so far from speech
ONSET_FRAMES = 4  # cover 50 ms
FRICATIVE_HZ = 4000.0
FLOOR_DB = -60.0  # nothing is measured below, relative to what it is compared with
_CELL = 8  # bins over which the phase of a system may turn without being counted as loss


def hop_power(signal: Signal) -> NDArray[np.float64]:
    """Mean power of each whole hop, (hops,)."""
    hops = len(signal) // HOP
    return np.asarray((signal[: hops * HOP].astype(np.float64).reshape(hops, HOP) ** 2).mean(1), np.float64)


def active_power(signal: Signal) -> float:
    """Mean power of the hops within 30 dB of the loudest; 0 for silence."""
    power = hop_power(signal)
    active = power[(power > power.max(initial=0) * 1e-3)]
    return float(active.mean()) if len(active) else 0.0


def spectrogram(signal: Signal) -> NDArray[np.complex128]:
    """Frame k covers hops k and k + 1; (hops - 1, WINDOW / 2 + 1)."""
    hops = len(signal) // HOP
    frames = np.lib.stride_tricks.sliding_window_view(signal[: hops * HOP].astype(np.float64), WINDOW)[::HOP]
    return np.fft.rfft(frames * np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW) ** 2)


def find_lag(reference: Signal, found: Signal, most: int) -> int:
    """Samples by which `found` is later than `reference`, in -most..most, by cross-correlation."""
    size = 1 << (len(reference) + len(found)).bit_length()
    product = np.fft.rfft(found, size) * np.conj(np.fft.rfft(reference, size))
    correlation = np.fft.irfft(product, size)
    lags = np.arange(-most, most + 1)
    return int(lags[np.abs(correlation[lags]).argmax()])


def shift(found: Signal, lag: int, length: int) -> Signal:
    """Undo a lag: cut or pad so that the result is aligned and has `length` samples."""
    moved = found[lag:] if lag >= 0 else np.concatenate([np.zeros(-lag, np.float32), found])
    return np.pad(moved[:length], (0, max(0, length - len(moved)))).astype(np.float32)


def kept_db(clean: NDArray[np.complex128], found: NDArray[np.complex128]) -> float:
    """Level of the clean sound inside the found one, in dB: 0 if all is there, FLOOR_DB at least.

    clean, found  (frames, bins) of the same frames and bins
    returns       20 log10 of the share of the clean amplitude; sound that is uncorrelated with it counts for
                  little, and a phase that is the same in all frames of a few neighbouring bins for nothing
    """
    frames, bins = clean.shape
    pad = ((0, 0), (0, -bins % _CELL))
    cross = np.pad(np.conj(clean) * found, pad).reshape(frames, -1, _CELL)
    share = np.abs(cross.sum((0, 2))).sum() / max((np.abs(clean) ** 2).sum(), 1e-20)
    return float(max(20 * np.log10(max(share, 1e-9)), FLOOR_DB))


def onset_hops(clean: Signal) -> NDArray[np.int64]:
    """Hops in which a word begins after a pause of at least QUIET_HOPS."""
    power = hop_power(clean) / max(active_power(clean), 1e-20)
    loud, quiet = power > 10 ** (SPEECH_DB / 10), power < 10 ** (QUIET_DB / 10)
    # One hop between quiet and loud may be neither.
    begins = [
        hop
        for hop in range(QUIET_HOPS + 1, len(power) - ONSET_FRAMES)
        if loud[hop] and not loud[hop - 1] and quiet[hop - 1 - QUIET_HOPS : hop - 1].all()
    ]
    return np.array(begins, np.int64)


def onsets_kept_db(clean: Signal, found: Signal) -> list[float]:
    """What is left of the first 50 ms of each word that follows a pause, dB each."""
    c, f = spectrogram(clean), spectrogram(found)
    return [kept_db(c[hop : hop + ONSET_FRAMES], f[hop : hop + ONSET_FRAMES]) for hop in onset_hops(clean)]


def onset_snrs_db(clean: Signal, noisy: Signal) -> list[float]:
    """How far the first 50 ms of each of these words stand above the noise in which they begin, dB each."""
    speech, noise = hop_power(clean), hop_power(noisy - clean)
    first = [slice(hop, hop + ONSET_FRAMES + 1) for hop in onset_hops(clean)]
    ratios = [speech[hops].sum() / max(noise[hops].sum(), 1e-20) for hops in first]
    return [float(np.clip(10 * np.log10(ratio), FLOOR_DB, -FLOOR_DB)) for ratio in ratios]


def fricatives_kept_db(clean: Signal, found: Signal, bandwidth_hz: float) -> float:
    """What is left above 4 kHz of s, f, p and the like: frames that hold more energy above 4 kHz than below.

    bandwidth_hz  the recording holds nothing above
    returns       dB; nan where there are no such frames
    """
    split, top = int(FRICATIVE_HZ / BIN_HZ), int(min(bandwidth_hz, 20000) / BIN_HZ)
    c, f = spectrogram(clean), spectrogram(found)
    power = np.abs(c) ** 2
    total = power.sum(1)
    chosen = (power[:, split:top].sum(1) > power[:, :split].sum(1)) & (total > total.max() * 1e-4)
    return kept_db(c[chosen, split:top], f[chosen, split:top]) if chosen.any() else float("nan")


def pauses(clean: Signal) -> NDArray[np.bool_]:
    """Hops that hold no speech, nor are near any; (hops,)."""
    power = hop_power(clean)
    heard = power >= active_power(clean) * 10 ** (QUIET_DB / 10)
    near = np.convolve(heard, np.ones(2 * PAUSE_MARGIN_HOPS + 1), "same") > 0
    return ~near


def pause_reduction_db(clean: Signal, noisy: Signal, found: Signal) -> float:
    """How much less sound there is in the pauses than before, dB, -FLOOR_DB at most; nan without pauses."""
    silent = pauses(clean)
    before = hop_power(noisy)[silent].sum()
    if not silent.any() or before <= 0:
        return float("nan")
    return float(-10 * np.log10(max(hop_power(found)[silent].sum() / before, 10 ** (FLOOR_DB / 10))))


def residual_db(clean: Signal, found: Signal) -> float:
    """Level of what is heard in the pauses relative to the active speech, dB; nan without pauses."""
    silent = pauses(clean)
    if not silent.any():
        return float("nan")
    share = hop_power(found)[silent].mean() / max(active_power(clean), 1e-20)
    return float(max(10 * np.log10(max(share, 1e-20)), -90.0))


def speech_kept_db(clean: Signal, found: Signal) -> float:
    """Level of the clean speech inside the found signal over all frames, dB."""
    return kept_db(spectrogram(clean), spectrogram(found))


def log_spectral_distance_db(clean: Signal, found: Signal, bandwidth_hz: float) -> float:
    """Root mean square over bins, mean over frames, of the difference of the two power spectra in dB.

    bandwidth_hz  bins above are left out; powers more than 60 dB below the strongest bin are taken as that floor
    """
    top = int(min(bandwidth_hz, 20000) / BIN_HZ)
    c, f = (np.abs(spectrogram(signal)[:, :top]) ** 2 for signal in (clean, found))
    floor = max(float(c.max()), 1e-20) * 10 ** (FLOOR_DB / 10)
    difference = 10 * np.log10(np.maximum(c, floor) / np.maximum(f, floor))
    return float(np.sqrt((difference**2).mean(1)).mean())


def level_change_db(before: Signal, after: Signal) -> float:
    """Change of the total energy, dB, FLOOR_DB at least."""
    ratio = (after.astype(np.float64) ** 2).sum() / max((before.astype(np.float64) ** 2).sum(), 1e-20)
    return float(10 * np.log10(max(ratio, 10 ** (FLOOR_DB / 10))))
