"""Other formants: the envelope of a voice moves as far as it should, its pitch, its pauses and its highs stay."""

import numpy as np
import pytest
from scipy.signal import lfilter

from train_support import RATE, require_torch

require_torch()
import torch  # noqa: E402

from sordino.train.formants import move_formants  # noqa: E402

PITCH_HZ = 120
FORMANTS_HZ = (700, 1800, 7000)
WIDTH_HZ = 200


def vowel() -> torch.Tensor:
    """A second of pulses through resonances, then half a second of silence."""
    sound = np.zeros(RATE)
    sound[:: RATE // PITCH_HZ] = 1
    for hz in FORMANTS_HZ:
        radius = np.exp(-np.pi * WIDTH_HZ / RATE)
        sound = lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * hz / RATE), radius**2], sound)
    sound = np.pad(sound / np.abs(sound).max(), (0, RATE // 2))
    return torch.from_numpy(sound.astype(np.float32))[None]


def formant_hz(voice: torch.Tensor, lowest_hz: float, highest_hz: float) -> float:
    """Where the power between two frequencies has its centre."""
    power = torch.fft.rfft(voice[0, :RATE]).abs().square().numpy()
    hz = np.arange(power.size)
    inside = (hz > lowest_hz) & (hz < highest_hz)
    return float((power * hz)[inside].sum() / power[inside].sum())


def pitch_hz(voice: torch.Tensor) -> float:
    """Of the highest peak of the autocorrelation."""
    power = torch.fft.rfft(voice[0, :RATE]).abs().square()
    peak = torch.fft.irfft(power)[RATE // 300 : RATE // 70].argmax()
    return RATE / (int(peak) + RATE // 300)


@pytest.mark.parametrize("factor", [0.85, 1.18])
def test_formants_move_and_the_pitch_stays(factor: float) -> None:
    voice = vowel()
    moved = move_formants(voice, torch.tensor([factor]))
    for hz in FORMANTS_HZ[:2]:
        before = formant_hz(voice, 0.8 * hz, 1.25 * hz)
        after = formant_hz(moved, 0.8 * hz * factor, 1.25 * hz * factor)
        assert 0.8 < (after / before - 1) / (factor - 1) < 1.1
    assert pitch_hz(moved) == pytest.approx(pitch_hz(voice), rel=0.005)
    assert moved.shape == voice.shape and moved[0, RATE + 4800 :].abs().max() < 1e-4


def test_each_row_has_its_own_factor_and_one_changes_nothing() -> None:
    voices = vowel().repeat(2, 1)
    moved = move_formants(voices, torch.tensor([1.0, 1.18]))
    torch.testing.assert_close(moved[0], voices[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[1:], move_formants(voices[1:], torch.tensor([1.18])), atol=1e-5, rtol=0)


def test_above_ten_kilohertz_nothing_moves() -> None:
    noise = 0.1 * torch.randn(1, RATE, generator=torch.Generator().manual_seed(1))
    before, after = (torch.fft.rfft(x).abs() for x in (noise, move_formants(noise, torch.tensor([1.18]))))
    torch.testing.assert_close(after[:, 10_500:], before[:, 10_500:], atol=0.02 * float(before.mean()), rtol=0.02)


def test_silence_and_nothing_stay_what_they_are() -> None:
    assert move_formants(torch.zeros(0, RATE), torch.zeros(0)).shape == (0, RATE)
    assert not move_formants(torch.zeros(1, RATE), torch.tensor([0.85])).any()
