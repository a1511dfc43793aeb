"""The listener loss: the torch reading of DNSMOS P.808 against its ONNX file, and what it charges for."""

import importlib.util

import numpy as np
import pytest

from golden.signals import recordings as golden_clips
from support import IN_CI
from train_support import require_torch

require_torch()
if importlib.util.find_spec("speechmos") is None and not IN_CI:
    pytest.skip("speechmos is not installed: pip install 'sordino[train]'", allow_module_level=True)
import onnx  # noqa: E402
import onnx.reference  # noqa: E402
import torch  # noqa: E402

from sordino.run.engines import EngineError  # noqa: E402
from sordino.train import listener  # noqa: E402
from sordino.train.analysis import frame_spectra  # noqa: E402
from sordino.train.config import load_config  # noqa: E402

SECONDS = 3
MEL_OF_LIBROSA = {
    (5, 9): 0.04000801,
    (20, 39): 0.03894555,
    (60, 82): 0.009349735,
    (100, 102): 0.004582871,
    (158, 119): 0.003061344,
}
"""By bin and band: librosa.filters.mel(sr=16000, n_fft=321, n_mels=120)."""


def _noisy(speech: np.ndarray, snr_db: float) -> np.ndarray:
    noise = np.random.default_rng(1).standard_normal(len(speech)).astype(np.float32)
    return speech + noise * speech.std() * np.float32(10 ** (-snr_db / 20))


def _charge(samples: np.ndarray, spoken: bool = True) -> float:
    spectra = frame_spectra(torch.from_numpy(samples)[None])
    voiced = torch.full(spectra.shape[:2], float(spoken))
    return float(listener.listener_loss(spectra.real, spectra.imag, voiced))


def _mel_image(signal: np.ndarray) -> np.ndarray:
    """What speechmos hands to the estimator, by NumPy."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(signal.astype(np.float64), 160), 321)[::160]
    power = np.abs(np.fft.rfft(frames * np.hanning(322)[:-1])) ** 2 @ listener.mel_shares()
    loudness_db = 10 * np.log10(np.maximum(power, 1e-10))
    return ((np.maximum(loudness_db - loudness_db.max(), -80) + 40) / 40).astype(np.float32)


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return next(iter(golden_clips().values()))[: SECONDS * 48000]


def test_the_rating_is_that_of_the_onnx_file(speech: np.ndarray) -> None:
    estimator = onnx.reference.ReferenceEvaluator(onnx.load(str(listener.weights_path())))
    signals = np.stack([_noisy(speech, snr)[::3] for snr in (40, 5)])
    wanted = [estimator.run(None, {"input_1": _mel_image(signal)[None]})[0].item() for signal in signals]
    assert listener.rating(torch.from_numpy(signals)).tolist() == pytest.approx(wanted, abs=2e-4)
    assert wanted[0] > wanted[1] + 0.2


def test_mel_bands_are_slaneys() -> None:
    shares = listener.mel_shares()
    assert shares.shape == (161, 120)
    for (row, band), wanted in MEL_OF_LIBROSA.items():
        assert shares[row, band] == pytest.approx(wanted, rel=1e-5)


def test_the_waveform_is_the_low_band_of_the_signal() -> None:
    spectrum = np.fft.rfft(np.random.default_rng(2).standard_normal(48000))
    spectrum[7000:] = 0  # Hz
    samples = np.fft.irfft(spectrum).astype(np.float32)
    spectra = frame_spectra(torch.from_numpy(samples)[None])[..., : listener.LISTENER_BINS]
    found = listener.waveform(spectra.real, spectra.imag)[0].numpy()
    np.testing.assert_allclose(found[320:], samples[::3][160:-160], atol=1e-4)  # a hop late


def test_more_noise_costs_more_and_the_level_nothing(speech: np.ndarray) -> None:
    costs = [_charge(_noisy(speech, snr)) for snr in (40, 15, 0)]
    assert costs == sorted(costs)
    assert costs[-1] > costs[0] + 0.2
    assert _charge(0.01 * _noisy(speech, 15)) == pytest.approx(costs[1], abs=1e-3)


def test_signals_without_speech_are_not_charged(speech: np.ndarray) -> None:
    assert _charge(speech, spoken=False) == 0


def test_the_gradient_says_less_noise(speech: np.ndarray) -> None:
    clean, noisy = (frame_spectra(torch.from_numpy(x)[None]) for x in (speech, _noisy(speech, 10)))
    share = torch.tensor(1.0, requires_grad=True)
    found = clean + share * (noisy - clean)
    listener.listener_loss(found.real, found.imag, torch.ones(clean.shape[:2])).backward()
    assert torch.isfinite(share.grad) and share.grad > 0


def test_without_the_package_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"speechmos.*sordino\[train\]"):
        listener.weights_path()


def test_it_is_a_setting_of_the_loss() -> None:
    assert load_config("tiny", ["loss.listener=0.5"]).loss.listener == 0.5
