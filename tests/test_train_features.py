"""The torch twin of the signal chain against the reference, frame by frame."""

import numpy as np
import pytest

from sordino.chain.model import NetworkShape, random_model
from sordino.chain.params import BANDS, HOP, PERIOD_MAX
from sordino.chain.pipeline import Pipeline
from train_support import require_torch, voice

require_torch()
import torch  # noqa: E402

from sordino.train import analysis as features  # noqa: E402
from sordino.train.targets import ideal_strength  # noqa: E402
from sordino.train.treatment import (  # noqa: E402
    enhance,
    synthesise,
)


class Silent:
    """Stands in for the network: everything before it is under test."""

    def reset(self) -> None:
        pass

    def step(self, found: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.float32]:
        return np.ones(BANDS, np.float32), np.zeros(BANDS, np.float32), np.float32(0)


def reference(samples: np.ndarray, look_ahead: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and periods of the NumPy chain."""
    pipeline = Pipeline(random_model(NetworkShape(8, 4, 4, 1), look_ahead), decider=Silent())
    found, periods = [], []
    for hop in samples.reshape(-1, HOP):
        pipeline.process(hop)
        found.append(pipeline.analysis.features)
        periods.append(pipeline.analysis.period)
    return np.array(found), np.array(periods)


@pytest.fixture(scope="module")
def noisy() -> np.ndarray:
    noise = np.random.default_rng(1).standard_normal(96000).astype(np.float32)
    return voice(2, 5) + 0.005 * noise


@pytest.mark.parametrize("look_ahead", [0, 1, 2])
def test_twin_equals_reference(noisy: np.ndarray, look_ahead: int, record_property) -> None:
    wanted, periods = reference(noisy, look_ahead)
    found = features.analyse(torch.from_numpy(noisy)[None], look_ahead)
    same = found.period[0].numpy() == periods
    record_property(f"torch twin, look-ahead {look_ahead}: frames with the same period", f"{same.mean():.4f}")
    assert same.mean() > 0.99
    np.testing.assert_allclose(found.features[0].numpy()[same], wanted[same], atol=1e-3)


def test_rows_of_a_batch_do_not_mix(noisy: np.ndarray) -> None:
    one = torch.from_numpy(noisy)[None]
    both = features.analyse(torch.cat([0.3 * one.flip(-1), one]), 2)
    alone = features.analyse(one, 2)
    torch.testing.assert_close(both.features[1:], alone.features, atol=1e-4, rtol=0)


def test_silence_gives_finite_features() -> None:
    found = features.analyse(torch.zeros(1, 20 * HOP), 2)
    assert torch.isfinite(found.features).all()
    assert (found.period <= PERIOD_MAX).all()


@pytest.mark.parametrize("look_ahead", [0, 2])
def test_unit_gain_gives_back_the_signal(noisy: np.ndarray, look_ahead: int) -> None:
    signal = torch.from_numpy(noisy)[None]
    found = features.analyse(signal, look_ahead)
    ones = torch.ones(1, found.energy.shape[1], BANDS)
    out = synthesise(*enhance(ones, 0 * ones, found, 481), look_ahead)
    torch.testing.assert_close(out, signal[:, : out.shape[1]], atol=1e-5, rtol=0)


def test_ideal_strength() -> None:
    noisy, clean = torch.tensor([[0.3, 0.9, 0.5, 0.1]]), torch.tensor([[0.99, 0.9, 0.2, 0.2]])
    strength = ideal_strength(noisy, clean, torch.tensor([0.125]))
    assert strength[0, 0] == 1  # even the comb is noisier than the clean signal
    assert strength[0, 1] == 0  # already as periodic as the clean signal
    assert strength[0, 2] == 0  # more periodic than the clean signal
    assert 0 < strength[0, 3] < 1
