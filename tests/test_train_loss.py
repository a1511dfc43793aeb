"""The perceptual loss: what it charges for, and that training can follow it; and speech mixed in at another speed."""

from dataclasses import replace

import numpy as np
import pytest

from train_support import require_torch, voice, write_corpus

require_torch()
import torch  # noqa: E402

from sordino.data.cache import build_cache  # noqa: E402
from sordino.train.analysis import frame_spectra, inner  # noqa: E402
from sordino.train.config import load_config  # noqa: E402
from sordino.train.loss import level_loss  # noqa: E402
from sordino.train.mixing import Mixer  # noqa: E402
from sordino.train.perceptual import perceptual_loss  # noqa: E402
from sordino.train.plan import draw_plan  # noqa: E402
from sordino.train.train import load_bank  # noqa: E402


def _power(samples: np.ndarray) -> torch.Tensor:
    spectrum = frame_spectra(torch.from_numpy(samples[None, : 300 * 480].astype(np.float32)))
    return inner(spectrum, spectrum)[..., :260]


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return voice(3, 5)


@pytest.fixture(scope="module")
def spoken(speech: np.ndarray) -> torch.Tensor:
    power = _power(speech).sum(-1)
    return (power > 1e-3 * power.mean()).float()


def _charge(found: np.ndarray, speech: np.ndarray, spoken: torch.Tensor) -> float:
    return float(perceptual_loss(_power(found), _power(speech), spoken))


def test_equal_spectra_cost_nothing(speech: np.ndarray, spoken: torch.Tensor) -> None:
    assert _charge(speech, speech, spoken) < 0.01  # what keeps the root differentiable


def test_more_noise_costs_more(speech: np.ndarray, spoken: torch.Tensor) -> None:
    noise = np.random.default_rng(1).standard_normal(len(speech)) * speech.std()
    costs = [_charge(speech + noise * 10 ** (-snr / 20), speech, spoken) for snr in (40, 20, 10, 0)]
    assert costs == sorted(costs)
    assert costs[-1] > 2 * costs[0] > 0


def test_a_lowered_voice_costs(speech: np.ndarray, spoken: torch.Tensor) -> None:
    costs = [_charge(speech * 10 ** (db / 20), speech, spoken) for db in (0, -3, -6, -12)]
    assert costs == sorted(costs)
    assert costs[1] > costs[0] + 0.01


def test_the_level_of_the_recording_does_not_matter(speech: np.ndarray, spoken: torch.Tensor) -> None:
    noisy = speech + 0.1 * speech.std() * np.random.default_rng(2).standard_normal(len(speech))
    assert _charge(0.01 * noisy, 0.01 * speech, spoken) == pytest.approx(_charge(noisy, speech, spoken), rel=1e-2)


def test_signals_without_speech_are_not_charged(speech: np.ndarray, spoken: torch.Tensor) -> None:
    assert _charge(speech, 0 * speech, torch.zeros_like(spoken)) == 0


def test_gradient_points_to_the_clean_signal(speech: np.ndarray, spoken: torch.Tensor) -> None:
    noise = np.random.default_rng(3).standard_normal(len(speech)) * speech.std()
    clean, noisy = _power(speech), _power(speech + noise)
    share = torch.tensor(1.0, requires_grad=True)
    perceptual_loss(clean + share * (noisy - clean), clean, spoken).backward()
    assert torch.isfinite(share.grad)
    assert share.grad > 0


def test_speech_at_another_speed(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("speed")
    build_cache(write_corpus(folder), folder / "cache", report=lambda _: None)
    config = load_config("tiny", ["mixing.other_speed=1", "mixing.speed_range=[1.15, 1.15]"])
    bank = load_bank(folder / "cache", "train", config, torch.device("cpu"))
    mixer = Mixer(bank, config.mixing)
    plan = draw_plan(np.random.default_rng(4), bank, config.mixing, 3)
    assert plan.values["bandwidth_hz"].tolist() == pytest.approx([1.15 * 16000] * 3)
    faster = mixer.speech(plan, 3).numpy()
    usual = mixer.speech(replace(plan, values={"speed": np.ones(3)}), 3).numpy()
    assert np.abs(faster).max() > 0.01
    part = int(mixer.samples / 1.15) - 1
    for fast, slow in zip(faster, usual, strict=True):
        wanted = np.interp(np.arange(part) * 1.15, np.arange(mixer.samples), slow)
        np.testing.assert_allclose(fast[:part], wanted, atol=1e-4)
    wide = replace(config.mixing, speed_range=(0.5, 2.0))
    speeds = draw_plan(np.random.default_rng(4), bank, wide, 400).values["speed"]
    assert speeds.min() >= 0.5 and speeds.max() <= 2
    assert np.mean(speeds < 1) == pytest.approx(0.5, abs=0.08), "as many slower voices as faster ones"


def _level_cost(clean: torch.Tensor, gain: torch.Tensor, active: float = 1.0) -> float:
    return float(level_loss(clean * gain, clean, torch.tensor([active])))


def test_level_of_the_voice_costs_by_the_decibel() -> None:
    spoken = torch.ones(1, 100)
    costs = [_level_cost(spoken, torch.full((1, 100), 10 ** (-db / 20))) for db in (0, 1, 3, 6)]
    assert costs[0] == pytest.approx(0, abs=1e-6)
    assert costs[1:] == pytest.approx([0.08, 0.28, 0.58], abs=0.005)  # less a slack of 0.2 dB
    assert costs == sorted(costs)


def test_the_first_frames_after_a_pause_cost_more() -> None:
    clean = torch.zeros(1, 100)
    clean[:, 50:] = 1
    lowered_at_once, lowered_later = torch.ones(2, 1, 100)
    lowered_at_once[:, 50:54], lowered_later[:, 70:74] = 0.5, 0.5
    assert _level_cost(clean, lowered_at_once) > 1.5 * _level_cost(clean, lowered_later)


def test_pauses_and_signals_without_speech_have_no_level() -> None:
    clean = torch.full((1, 100), 1e-4)
    assert _level_cost(clean, torch.zeros(1, 100)) == 0
    assert _level_cost(torch.ones(1, 100), torch.zeros(1, 100), active=0.0) == 0
