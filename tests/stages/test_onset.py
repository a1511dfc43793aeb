"""Stage onset: what is taken for the beginning of a word, what its gains may become, parity."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from golden.signals import recordings
from kernels import every_build, kernels, padded, same_bytes
from levels import levels_db
from sordino.chain.onset import lift_gains, onset
from sordino.chain.params import BANDS, ONSET_CLOSED
from sordino.evaluation import ours
from sordino.evaluation.measures import hop_power
from sordino.formats.generate import PADDED_BANDS
from sordino.train import treatment as synthesis


def follow(voice):
    memory, lifts = np.zeros(2, np.float32), []
    for probability in np.asarray(voice, np.float32):
        memory, lift = onset(memory, probability)
        lifts.append(lift)
    return np.array(lifts, np.float32)


def test_a_word_is_lifted_for_its_first_moments_only():
    lifts = follow([0.1] * 50 + [0.95] * 60 + [0.1] * 50 + [0.95] * 10)
    assert (lifts[20:50] == 0).all(), "in the pause before"
    assert lifts[50] == 1 and (lifts[50:54] > 0.3).all(), "where the word begins"
    assert (lifts[57:160] < 1e-6).all(), "within the word and after it"
    assert lifts[160] == 1, "the next word"


def test_a_voice_that_rises_slowly_or_little_is_left_alone():
    assert (follow(np.linspace(0, 1, 100)) == 0).all()
    assert (follow([0.3, 0.15] * 40)[20:] == 0).all()


@pytest.mark.parametrize("name", recordings())
def test_in_real_noise_few_hops_are_louder_and_none_is_fainter(name):
    clip = recordings()[name]
    lifted, given = (ours.open_variant(ours.parse(f"standard{word}"))(clip) for word in ("", ":no-lift"))
    louder_db = 10 * np.log10((hop_power(lifted) + 1e-9) / (hop_power(given) + 1e-9))
    assert 0 < np.mean(louder_db > 0.5) < 0.1 and 1 < louder_db.max() < 6, "words that begin"
    assert louder_db.min() > -0.1
    assert abs(levels_db(lifted)[0] - levels_db(given)[0]) < 0.5, "the noise between them"


@given(st.integers(0, 2**32 - 1), st.floats(0, 1, width=32))
@settings(max_examples=200, deadline=None)
def test_gains_rise_by_six_decibels_at_most_and_never_above_one(seed, lift):
    gain = np.random.default_rng(seed).random(BANDS).astype(np.float32) ** 2
    lifted = lift_gains(gain, np.float32(lift))
    assert (lifted >= gain).all() and (lifted <= 1).all() and (lifted <= 2 * gain + 1e-6).all()
    assert (lifted == gain)[gain <= ONSET_CLOSED].all(), "bands that hold only noise stay closed"
    assert np.array_equal(lift_gains(gain, np.float32(0)), gain)


def test_training_lifts_as_the_reference_does():
    rng = np.random.default_rng(3)
    voice, gain = rng.random(200).astype(np.float32), rng.random((200, BANDS)).astype(np.float32)
    lifts = follow(voice)
    found = synthesis.onset(torch.from_numpy(voice)[None])
    assert np.allclose(found[0, :, 0].numpy(), lifts, atol=1e-5) and lifts.max() > 0.5
    lifted = synthesis.lift_gains(torch.from_numpy(gain)[None], found)[0].numpy()
    assert np.allclose(lifted, [lift_gains(g, x) for g, x in zip(gain, lifts, strict=True)], atol=1e-5)


@every_build
def test_parity(build):
    run = kernels(build).run
    rng = np.random.default_rng(4)
    memory = wanted = np.zeros(2, np.float32)
    for step in range(300):
        voice, gain = np.float32(rng.random() ** 2), rng.random(BANDS).astype(np.float32)
        wanted, lift = onset(wanted, voice)
        got = run("onset", memory, float(voice))
        same_bytes(memory, wanted, f"step {step}, memory")
        assert np.float32(got) == lift, f"step {step}, lift"
        out = np.zeros(PADDED_BANDS, np.float32)
        run("lift_gains", out, padded(gain, PADDED_BANDS), float(lift))
        same_bytes(out[:BANDS], lift_gains(gain, lift), f"step {step}, gains")
