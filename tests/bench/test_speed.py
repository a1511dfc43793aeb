"""The speed benchmark: what does not denoise is refused, pieces are spread as evenly as can be, blocks are pruned."""

import numpy as np
import pytest

from bench.speed import hearing, report, workshop
from modules import pruned
from sordino.export.weight_file import sparse_blocks
from sordino.model import NetworkShape, random_model

RATE = 48000


def bursts_in_noise():
    rng = np.random.default_rng(0)
    voice = rng.normal(0, 0.1, 4 * RATE) * (np.arange(4 * RATE) % RATE < RATE // 4)
    return voice.astype(np.float32), rng.normal(0, 0.01, 4 * RATE).astype(np.float32)


def test_a_denoiser_passes():
    voice, noise = bursts_in_noise()
    cleaned = np.roll(voice + 0.1 * noise, 480)
    found = hearing.denoising(voice + noise, cleaned)
    hearing.check_denoises("some", found)
    assert found["delay_samples"] == 480
    assert 15 < found["quiet_reduction_db"] < 25


@pytest.mark.parametrize("kind", ["silence", "nothing done", "noise", "all muffled"])
def test_what_does_not_denoise_is_refused(kind):
    voice, noise = bursts_in_noise()
    noisy = voice + noise
    outputs = {"silence": 0 * noisy, "nothing done": noisy, "noise": noise[::-1], "all muffled": 0.05 * noisy}
    with pytest.raises(SystemExit, match="does not denoise"):
        hearing.check_denoises(kind, hearing.denoising(noisy, outputs[kind]))


def test_pieces_are_spread_evenly_and_in_order():
    pieces = [3, 1, 1, 1, 2]
    assert [report.flattest(pieces, quanta) for quanta in (1, 2, 3, 5)] == [8, 4, 3, 3]


def test_scaled_networks_have_about_the_size_they_say():
    for millions in workshop.MILLIONS:
        assert millions <= workshop.scaled_shape(millions).weight_count() / 1e6 <= 1.15 * millions


def test_pruning_keeps_the_density():
    model = pruned(random_model(NetworkShape(32, 40, 48, 64, 2, 64, 32)), 0.25)
    assert sparse_blocks(model)["gru2_state"] == 0.25 * 3 * 64 * 64 / 32
