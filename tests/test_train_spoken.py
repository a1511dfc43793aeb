"""Machine voices: what is read aloud and by whom, and that the mixer takes them for its share of the voices."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from train_support import RATE, require_torch, voice, write_corpus

require_torch()
import torch  # noqa: E402

from sordino.train.bank import make_bank  # noqa: E402
from sordino.train.corpus import SPOKEN, SPOKEN_INDEX, STORES, Clip, CorpusError, build_cache, load_store  # noqa: E402
from sordino.train.plan import draw_plan  # noqa: E402
from sordino.train.recipe import Recipe  # noqa: E402
from sordino.train.spoken import Speaker, add_spoken, as_tokens, draw_language, draw_voice, sentences  # noqa: E402

FORTUNE = """The quick brown fox jumps over the dog.  Short one.
%
See http://example.org/ for more of what is meant here. It is 10 years since
we have met at this
place.
		-- Somebody
%
A sentence runs over
two lines of the file. -- Its author
"""


def test_sentences_are_whole_and_can_be_read() -> None:
    assert sentences(FORTUNE) == [
        "The quick brown fox jumps over the dog.",
        "A sentence runs over two lines of the file.",
    ]


def test_sounds_become_the_numbers_of_the_model() -> None:
    vocabulary = {sign: i for i, sign in enumerate("ʤɹæ ə", start=1)}
    assert as_tokens("(en)dʒr\n æ(fr) ¿ɘ", vocabulary) == [1, 2, 4, 3, 4, 5]


def test_half_of_the_voices_are_mixtures_of_two() -> None:
    rng, names = np.random.default_rng(0), ["af_one", "bm_two", "if_three"]
    drawn = [draw_voice(rng, names) for _ in range(400)]
    assert all(sum(shares.values()) == pytest.approx(1) for _, shares in drawn)
    assert all(set(name.split("+")) == set(shares) for name, shares in drawn)
    assert 0.4 < np.mean(["+" in name for name, _ in drawn]) < 0.6


def test_a_voice_mostly_speaks_its_own_language() -> None:
    rng, languages = np.random.default_rng(0), ["de", "en-us", "it"]
    own = [draw_language(rng, "if_sara", languages) for _ in range(300)]
    none = [draw_language(rng, "jf_alpha", languages) for _ in range(300)]
    assert own.count("it") > 230
    assert 170 < none.count("en-us") < 270 and none.count("de") > 20
    assert draw_language(rng, "if_sara", ["de"]) == "de"


def test_what_speaks_is_named_where_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(CorpusError, match=r"no cache index at .*index\.json"):
        add_spoken(tmp_path, 1)
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(CorpusError, match="apt-get install espeak-ng"):
        Speaker(tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: name)
    with pytest.raises(CorpusError, match=r"missing: .*part\.bin.*voices of kokoro-js"):
        Speaker(tmp_path)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with one machine voice."""
    folder = tmp_path_factory.mktemp("spoken")
    build_cache(write_corpus(folder), folder / "cache", report=lambda _: None)
    samples = np.round(32768 * voice(3, 7)).astype(np.int16)
    samples.tofile(folder / "cache" / f"{SPOKEN}-train.i16")
    clip = Clip("a sentence", 0, len(samples), "machine", "en-us", 12000.0, float("nan"), -20.0)
    (folder / "cache" / SPOKEN_INDEX).write_text(json.dumps({"stores": {f"{SPOKEN}-train": [asdict(clip)]}}))
    return folder / "cache"


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_the_mixer_takes_them_for_their_share(cache: Path, share: float) -> None:
    stores = {kind: load_store(cache, kind, "train") for kind in STORES}
    bank = make_bank(stores, (), (), 0.0, torch.device("cpu"))
    (start,) = bank.synthetic.speech.starts
    assert torch.equal(bank.samples[bank.margin + start :][: 3 * RATE], torch.from_numpy(np.array(stores[SPOKEN].samples)))
    plan = draw_plan(np.random.default_rng(1), bank, Recipe(spoken=share, other_speed=0.0), 200)
    spoken = {piece.row for piece in plan.speech if start <= piece.start < start + 3 * RATE}
    assert len(spoken) == pytest.approx(200 * share, abs=30 if 0 < share < 1 else 0)
    np.testing.assert_array_equal(plan.values["bandwidth_hz"][sorted(spoken)], 12000.0)
    real = sorted(set(range(200)) - spoken)
    np.testing.assert_array_equal(plan.values["bandwidth_hz"][real], 16000.0)


def test_without_them_the_mixtures_are_as_before(cache: Path) -> None:
    stores = {kind: load_store(cache, kind, "train") for kind in STORES}
    plans = [
        draw_plan(np.random.default_rng(3), make_bank(some, (), (), 0.0, torch.device("cpu")), Recipe(), 8)
        for some in (stores, {kind: store for kind, store in stores.items() if kind != SPOKEN})
    ]
    assert plans[0].speech == plans[1].speech
    np.testing.assert_array_equal(plans[0].values["snr_db"], plans[1].values["snr_db"])
