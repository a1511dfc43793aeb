"""The oracles: clean in is clean out, ideal decisions help, parts are parts, and a model's decisions are its own."""

from pathlib import Path

import numpy as np
import pytest

from train_support import require_torch, voice

require_torch()
import torch  # noqa: E402

from sordino.evaluation import denoisers, oracle, ours  # noqa: E402
from sordino.evaluation.metrics import si_sdr_db  # noqa: E402

CLEAN = voice(2, 3)
NOISY = CLEAN + 0.05 * np.random.default_rng(0).standard_normal(len(CLEAN)).astype(np.float32)


def test_clean_in_clean_out() -> None:
    found = oracle.pure("oracle-gains")(CLEAN, CLEAN)
    assert found.shape == CLEAN.shape and si_sdr_db(CLEAN, found) > 60


def test_the_clean_recording_itself(tmp_path: Path) -> None:
    CLEAN.tofile(tmp_path / "clean.f32")
    found = denoisers.make_any("oracle-clean", tmp_path)(NOISY, tmp_path / "clean.f32")
    np.testing.assert_array_equal(found, CLEAN)


def test_ideal_decisions_help_and_strengths_help_more() -> None:
    gains, comb = (si_sdr_db(CLEAN, oracle.pure(name)(NOISY, CLEAN)) for name in oracle.PURE)
    assert si_sdr_db(CLEAN, NOISY) + 3 < gains < comb


def test_all_of_a_model_is_the_oracle() -> None:
    found = oracle.partial(ours.parse("standard:ideal=all"))(NOISY, CLEAN)
    np.testing.assert_array_equal(found, oracle.pure("oracle-comb")(NOISY, CLEAN))
    with pytest.raises(ValueError, match="ideal=treble: wanted one of none, all"):
        oracle.partial(ours.parse("standard:ideal=treble"))


def test_none_of_a_model_is_the_model() -> None:
    found = oracle.partial(ours.parse("standard:ideal=none"))(NOISY, CLEAN)
    late = ours.open_variant(ours.parse("standard"))(np.pad(NOISY, (0, 1440)))[1440:]
    assert si_sdr_db(late, found[: len(late)]) > 25, "the twin and the kernels agree but for rounding"


def test_parts_cover_everything_once() -> None:
    voiced = torch.tensor([[0.0, 1.0, 1.0, 0.0]])
    ideal = type("Ideal", (), {"voice": voiced})()
    for parts in (("low", "middle", "high"), ("speech", "pauses")):
        chosen = [oracle._where(part, ideal, CLEAN, 2).expand(1, 4, 34).int() for part in parts]
        assert (sum(chosen) == 1).all() and all(part.any() for part in chosen)
