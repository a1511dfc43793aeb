"""Torch twin of the stages stft to features: a batch of whole signals goes in, every frame comes out at once.

Step t sees the newest frame t (hops t-1 and t) and decides on the centre frame t - look_ahead.  All results are
given per step; those of centre frames before the start are what silence gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional

from sordino.chain import bands, comb, pitch, stft
from sordino.chain.params import (
    BANDS,
    COMB_REACH,
    CORRELATION_FLOOR,
    DECIMATION,
    DECIMATION_TAPS,
    ENERGY_FLOOR,
    HISTORY,
    HOP,
    LAG_MAX,
    LAGS,
    MIX_FLOOR,
    PERIOD_CENTRE,
    PERIOD_MAX,
    PERIOD_MIN,
    PITCH_WINDOW,
    REFINE,
    TRACK_JUMP_COST,
    TRACK_MOVE_COST,
    TRACK_REACH,
    WINDOW,
)

_REFINE_FFT = 1000  # >= WINDOW + REFINE - 1
_CORRELATION_FFT = 480  # >= LAG_MAX + PITCH_WINDOW, so that no lag wraps around


@dataclass(frozen=True)
class Tables:
    """Constants of the signal chain as tensors on one device."""

    window: Tensor  # (WINDOW,) analysis window, scaled
    triangles: Tensor  # (BINS, BANDS)
    decimator: Tensor  # (1, 1, DECIMATION_TAPS)
    lag_cost: Tensor  # (LAGS,)
    move_cost: Tensor  # (2 TRACK_REACH + 1,)
    comb_weights: Tensor  # (COMB_REACH + 1, 2 COMB_REACH + 1)
    sigma2: Tensor  # (COMB_REACH + 1,)


@cache
def tables(device: torch.device) -> Tables:
    """Build the constants once per device."""

    def put(array: object) -> Tensor:
        return torch.as_tensor(array, dtype=torch.float32).to(device)

    moves = torch.arange(-TRACK_REACH, TRACK_REACH + 1).abs() * TRACK_MOVE_COST
    return Tables(
        put(stft.analysis_window()),
        put(bands.weights().T.copy()),
        put(pitch.decimation_filter())[None, None],
        put(pitch.lag_cost()),
        put(moves),
        put(comb.weights()),
        put(comb.sigma2()),
    )


def frame_spectra(signal: Tensor) -> Tensor:
    """Spectrum of every newest frame.

    signal   (batch, steps * HOP) full scale 1
    returns  (batch, steps, BINS) complex64; frame t holds hops t-1 and t
    """
    frames = functional.pad(signal, (HOP, 0)).unfold(-1, WINDOW, HOP)
    return torch.fft.rfft(frames * tables(signal.device).window)


def inner(a: Tensor, b: Tensor) -> Tensor:
    """Real part of conj(a) b, two complex of any shape -> float of that shape."""
    return torch.addcmul(a.real * b.real, a.imag, b.imag)


def band_energy(spectrum: Tensor) -> Tensor:
    """Power per band, (..., BINS) complex -> (..., BANDS)."""
    return inner(spectrum, spectrum) @ tables(spectrum.device).triangles


def band_cross(a: Tensor, b: Tensor) -> Tensor:
    """Real cross power per band, two (..., BINS) complex -> (..., BANDS)."""
    return inner(a, b) @ tables(a.device).triangles


def coherence(energy_a: Tensor, energy_b: Tensor, cross: Tensor) -> Tensor:
    """Real coherence per band in -1..1; all (..., BANDS)."""
    return (cross / (energy_a * energy_b + MIX_FLOOR * MIX_FLOOR).sqrt()).clamp(-1, 1)


def to_bins(values: Tensor) -> Tensor:
    """Interpolate values per band to bins, (..., BANDS) -> (..., BINS)."""
    return values @ tables(values.device).triangles.T


def delay(values: Tensor, steps: int) -> Tensor:
    """Shift along the time axis 1 so that step t shows what came `steps` before; zeros at the start."""
    if steps == 0:
        return values
    return torch.cat([torch.zeros_like(values[:, :steps]), values[:, :-steps]], 1)


def correlations(signal: Tensor) -> Tensor:
    """Normalised correlation of every newest frame at every lag.

    signal   (batch, steps * HOP)
    returns  (batch, steps, LAGS) in -1..1, longest lag first
    """
    padded = functional.pad(signal, (DECIMATION_TAPS - DECIMATION, 0)).unsqueeze(1)
    low = functional.conv1d(padded, tables(signal.device).decimator, stride=DECIMATION).squeeze(1)
    span = PITCH_WINDOW + LAG_MAX
    frames = functional.pad(low, (span - HOP // DECIMATION, 0)).unfold(-1, span, HOP // DECIMATION)
    newest = functional.pad(frames[..., LAG_MAX:], (0, _CORRELATION_FFT - PITCH_WINDOW))
    product = torch.fft.rfft(newest).conj() * torch.fft.rfft(frames, _CORRELATION_FFT)
    cross = torch.fft.irfft(product, _CORRELATION_FFT)[..., :LAGS]
    running = functional.pad(frames.square().cumsum(-1), (1, 0))
    lagged = (running[..., PITCH_WINDOW : PITCH_WINDOW + LAGS] - running[..., :LAGS]).clamp_min(0)
    energy = running[..., -1:] - running[..., LAG_MAX : LAG_MAX + 1]
    return (cross / (energy * lagged + CORRELATION_FLOOR).sqrt()).clamp(-1, 1)


def track_lags(correlation: Tensor, look_ahead: int) -> Tensor:
    """Viterbi search for the lag contour.

    correlation  (batch, steps, LAGS)
    look_ahead   frames to wait before the lag of a frame is read off the best contour
    returns      (batch, steps) lag of the centre frame in decimated samples, int64
    """
    constants = tables(correlation.device)
    batch, steps, _ = correlation.shape
    gain = (correlation - constants.lag_cost).transpose(0, 1).contiguous()
    cost = constants.move_cost[:, None, None]
    score = correlation.new_zeros(batch, LAGS)
    index = torch.arange(LAGS, device=correlation.device) - TRACK_REACH
    tops, origins = [], []
    for t in range(steps):
        padded = functional.pad(score, (TRACK_REACH, TRACK_REACH), value=-1e9)
        best, move = (padded.unfold(-1, LAGS, 1).transpose(0, 1) - cost).max(0)
        highest, top = score.max(-1, keepdim=True)
        jump = highest - TRACK_JUMP_COST
        origins.append(torch.where(jump > best, top, index + move))
        score = torch.maximum(best, jump) + gain[t]
        score = score - score.amax(-1, keepdim=True)
        tops.append(score)
    lag_index = torch.stack(tops).argmax(-1)  # (steps, batch)
    history = torch.stack(origins)
    for back in range(look_ahead):
        start = torch.arange(LAGS, device=correlation.device).expand(back, batch, LAGS)
        earlier = torch.cat([start, history])[:steps]
        lag_index = earlier.gather(-1, lag_index[..., None])[..., 0]
    return (LAG_MAX - lag_index).transpose(0, 1)


@dataclass(frozen=True)
class Past:
    """A signal with HISTORY zeros (and the frames before the start) in front, to be read at any sample."""

    samples: Tensor  # (batch, n)
    starts: Tensor  # (batch, steps) first sample of each centre frame

    def read(self, back: Tensor, length: int) -> Tensor:
        """Read (batch, steps, length) samples from `back` (batch, steps) samples before each centre frame."""
        windows = self.samples.unfold(-1, length, 1)
        rows = torch.arange(windows.shape[0], device=back.device)[:, None]
        return windows[rows, self.starts - back]


def remember(signal: Tensor, look_ahead: int) -> Past:
    """Lay out a batch of signals (batch, steps * HOP) for reads relative to the centre frames."""
    front = HISTORY + HOP * (look_ahead + 1)
    steps = signal.shape[-1] // HOP
    starts = HISTORY + HOP * torch.arange(steps, device=signal.device)
    return Past(functional.pad(signal, (front, 0)), starts.expand(signal.shape[0], steps))


def refine(past: Past, lag: Tensor) -> tuple[Tensor, Tensor]:
    """Best period at the full rate near each lag.

    past     of the noisy signal
    lag      (batch, steps) decimated samples
    returns  (period in samples, int64; normalised correlation in 0..1), (batch, steps) each
    """
    lowest = (DECIMATION * lag - REFINE // 2).clamp(PERIOD_MIN, PERIOD_MAX - REFINE + 1)
    longest = lowest + REFINE - 1
    frame = past.read(torch.zeros_like(lag), WINDOW)
    lagged = past.read(longest, WINDOW + REFINE - 1)
    product = torch.fft.rfft(frame, _REFINE_FFT).conj() * torch.fft.rfft(lagged, _REFINE_FFT)
    cross = torch.fft.irfft(product, _REFINE_FFT)[..., :REFINE]
    square = lagged.square()
    change = functional.pad((square[..., WINDOW:] - square[..., : REFINE - 1]).cumsum(-1), (1, 0))
    energy = (square[..., :WINDOW].sum(-1, keepdim=True) + change).clamp_min(0)
    own = frame.square().sum(-1, keepdim=True)
    best, i = (cross / (own * energy + CORRELATION_FLOOR).sqrt()).clamp(0, 1).max(-1)
    return longest - i, best


def comb_frames(past: Past, period: Tensor, look_ahead: int) -> tuple[Tensor, Tensor]:
    """Comb-filtered copy of every centre frame.

    past        of the signal to filter
    period      (batch, steps) samples
    look_ahead  frames
    returns     ((batch, steps, WINDOW) not windowed; (batch, steps) sigma2, the share of white noise that passes)
    """
    constants = tables(past.samples.device)
    future = (look_ahead * HOP // period).clamp_max(COMB_REACH)
    weight = constants.comb_weights[future]  # (batch, steps, taps)
    total = weight[..., COMB_REACH, None] * past.read(torch.zeros_like(period), WINDOW)
    rows = torch.arange(period.shape[0], device=period.device)[:, None].expand_as(period)
    windows = past.samples.unfold(-1, WINDOW, 1)
    for k in range(-COMB_REACH, COMB_REACH + 1):
        if k == 0:
            continue
        if k > 0:
            total.addcmul_(windows[rows, past.starts - k * period], weight[..., k + COMB_REACH, None])
            continue
        used = future >= -k
        if used.any():
            found = windows[rows[used], (past.starts - k * period)[used]]
            total[used] += weight[..., k + COMB_REACH][used][:, None] * found
    return total, constants.sigma2[future]


@dataclass(frozen=True)
class Analysis:
    """What the chain knows of every step, before the network."""

    features: Tensor  # (batch, steps, FEATURES) not normalised
    spectrum: Tensor  # (batch, steps, BINS) of the centre frame
    comb_spectrum: Tensor  # (batch, steps, BINS)
    energy: Tensor  # (batch, steps, BANDS) of the centre frame
    coherence: Tensor  # (batch, steps, BANDS)
    period: Tensor  # (batch, steps) samples
    sigma2: Tensor  # (batch, steps)


def analyse(signal: Tensor, look_ahead: int) -> Analysis:
    """Run every stage before the network over a batch of signals.

    signal      (batch, steps * HOP) full scale 1
    look_ahead  frames, 0..2
    returns     Analysis
    source      sordino.chain.pipeline.analyse, which the tests compare with
    """
    newest = frame_spectra(signal)
    energies = band_energy(newest)
    past = remember(signal, look_ahead)
    period, correlation = refine(past, track_lags(correlations(signal), look_ahead))
    combed, sigma2 = comb_frames(past, period, look_ahead)
    comb_spectrum = torch.fft.rfft(combed * tables(signal.device).window)
    spectrum, energy = delay(newest, look_ahead), delay(energies, look_ahead)
    alike = coherence(energy, band_energy(comb_spectrum), band_cross(spectrum, comb_spectrum))
    features = torch.cat(
        [
            (energies + ENERGY_FLOOR).log2(),
            alike,
            (period / PERIOD_CENTRE).log2()[..., None],
            correlation[..., None],
        ],
        -1,
    )
    assert features.shape[-1] == 2 * BANDS + 2
    return Analysis(features, spectrum, comb_spectrum, energy, alike, period, sigma2)
