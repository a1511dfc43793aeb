"""Stage start: low gains are raised in the first second of sound, and never after it; every build gives its bits."""

import numpy as np

from kernels import every_build, kernels, padded, same_bytes
from sordino.chain.params import BANDS, HOP, START_GAIN, START_HOPS
from sordino.chain.start import count_sound, hold_back
from sordino.formats.generate import PADDED_BANDS
from sordino.run.engines import open_engine

SOUND, SILENCE = np.full(BANDS, 1e-9, np.float32), np.zeros(BANDS, np.float32)


def test_only_hops_with_sound_count():
    heard = 0
    for energy in [SILENCE] * 500 + [SOUND] * 3 + [SILENCE] * 5 + [SOUND]:
        heard = count_sound(heard, energy)
    assert heard == 4
    for _ in range(2 * START_HOPS):
        heard = count_sound(heard, SOUND)
    assert heard == START_HOPS


def test_low_gains_are_raised_less_and_less():
    gain = np.linspace(0, 1, BANDS, dtype=np.float32)
    for heard, least in ((0, START_GAIN), (START_HOPS // 2, START_GAIN / 2), (START_HOPS, 0.0)):
        raised = hold_back(gain, heard)
        assert np.isclose(raised.min(), least, atol=1e-6)
        assert np.array_equal(raised[gain > least], gain[gain > least])


def test_noise_fades_out_within_the_first_second_that_has_sound():
    noise = (0.02 * np.random.default_rng(1).standard_normal(400 * HOP)).astype(np.float32)
    noise[: 100 * HOP] = 0
    levels = np.sqrt((open_engine("native").process(noise).reshape(-1, 100, HOP) ** 2).mean(axis=(1, 2)))
    assert levels[0] == 0 and levels[1] > 3 * levels[3]


@every_build
def test_parity(build):
    run = kernels(build).run
    gain = padded(np.random.default_rng(2).random(BANDS).astype(np.float32) ** 4, PADDED_BANDS)
    for heard in (0, 1, 37, START_HOPS - 1, START_HOPS):
        out = gain.copy()
        run("hold_back", out, heard)
        same_bytes(out[:BANDS], hold_back(gain[:BANDS], heard), f"{heard} hops")
        for energy in (SOUND, SILENCE):
            assert run("count_sound", heard, padded(energy, PADDED_BANDS)) == count_sound(heard, energy)
