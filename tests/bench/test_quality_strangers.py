"""The parts of the quality comparison about voices that no model has met: their sets, their traits, their tables."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sordino.chain.params import SAMPLE_RATE
from sordino.data.cache import build_cache
from sordino.data.manifest import CorpusError
from sordino.evaluation import comparison, report, strangers, systems, traits
from sordino.evaluation.options import ClipOptions
from sordino.evaluation.running import Manner
from sordino.evaluation.strangers import Strangers
from sordino.evaluation.traits import HIGH, LOW, UNKNOWN, Traits, family, median_pitch_hz
from train_support import write_corpus


def voice(pitch_hz: float, seconds: float = 2.0) -> np.ndarray:
    """A sum of harmonics that comes and goes like syllables."""
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * k * pitch_hz * t) / k for k in range(1, 24))
    return (0.1 * tone * (0.6 - 0.4 * np.cos(2 * np.pi * 3 * t))).astype(np.float32)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("en", "English"),
        ("en (2-word phrases)", "English"),
        ("en_GB", "English"),
        ("pt_BR", "Romance"),
        ("zh-TW", "East and South-East Asian"),
        ("gd", "other languages"),
        ("hw", UNKNOWN),
        ("", UNKNOWN),
    ],
)
def test_a_language_belongs_to_a_family(code: str, name: str):
    assert family(code) == name


def test_no_language_belongs_to_two_families():
    codes = [code for codes in traits.FAMILIES.values() for code in codes.split()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("pitch_hz", [110.0, 220.0])
def test_the_pitch_of_a_voice_is_found(pitch_hz: float):
    assert median_pitch_hz(voice(pitch_hz)) == pytest.approx(pitch_hz, rel=0.03)


def test_noise_has_no_pitch():
    noise = np.random.default_rng(1).normal(0, 0.05, SAMPLE_RATE).astype(np.float32)
    assert np.isnan(median_pitch_hz(noise))


@pytest.fixture
def pairs(tmp_path: Path) -> tuple[Path, Path]:
    """Folders of a low and a high voice, clean and in noise."""
    rng = np.random.default_rng(1)
    for name, pitch_hz in (("low", 110.0), ("high", 230.0)):
        clean = voice(pitch_hz)
        for kind, samples in (("clean", clean), ("noisy", clean + rng.normal(0, 0.01, len(clean)))):
            (tmp_path / kind).mkdir(exist_ok=True)
            soundfile.write(tmp_path / kind / f"{name}.wav", samples, SAMPLE_RATE)
    return tmp_path / "clean", tmp_path / "noisy"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    build_cache(write_corpus(folder / "corpus"), folder / "cache", report=lambda line: None)
    return folder / "cache"


def options(out: Path, cache: Path) -> ClipOptions:
    return ClipOptions(out, cache, "valid", 4, 1, 1)


def test_real_pairs_become_a_part_with_the_traits_of_their_voices(tmp_path: Path, pairs: tuple[Path, Path]):
    (part,) = strangers.parts(Strangers(*pairs), options(tmp_path / "out", tmp_path))
    assert part.title == "Real pairs" and "2 recordings" in part.about
    found = traits.traits_of(part.clips.folder, part.clips.cases, {})
    assert {part.clips.cases[i].sources[0]: t for i, t in found.items()} == {
        "low": Traits(LOW, UNKNOWN),
        "high": Traits(HIGH, UNKNOWN),
    }


def test_read_sentences_come_from_the_recordings_that_the_pattern_names(tmp_path: Path, cache: Path):
    (part,) = strangers.parts(Strangers(sentences="voice[02]", count=3), options(tmp_path, cache))
    spoken = {case.sources[0] for case in part.clips.cases}
    assert spoken == {"speech/valid/voice0.wav", "speech/valid/voice2.wav"}
    with pytest.raises(CorpusError, match="no path matches '/nobody/'"):
        comparison.seeded_set(tmp_path, cache, "valid", 1, 1, speech="/nobody/")


def test_a_corpus_without_such_recordings_has_no_such_part(
    tmp_path: Path, cache: Path, capsys: pytest.CaptureFixture[str]
):
    assert not list(strangers.parts(Strangers(sentences="/nobody/"), options(tmp_path, cache)))
    assert "read sentences: LEFT OUT" in capsys.readouterr().out


def test_the_report_begins_with_strangers(tmp_path: Path, pairs: tuple[Path, Path]):
    (part,) = strangers.parts(Strangers(*pairs), options(tmp_path / "out", tmp_path))
    scores = {case.index: {"pesq": 2.0 + case.index, "estoi": 0.8} for case in part.clips.cases}
    results = [report.Result(systems.NOISY, scores, Manner(0, 0.1))]
    voices = traits.traits_of(part.clips.folder, part.clips.cases, {})
    facts = {"title": part.title, "about": part.about, "set": part.clips.key}
    stranger = report.collect(results, part.clips.cases, {}, facts, voices=voices)
    facts = {"set": "x", "seconds": 7.0, "parts": [case.part for case in part.clips.cases]}
    found = report.collect(results, part.clips.cases, {}, facts) | {"strangers": [stranger]}
    text = report.markdown(found)
    assert text.index("## Real pairs") < text.index("### PESQ by voice") < text.index("## The test split of the corpus")
    row = next(line for line in text[text.index("### PESQ by voice") :].splitlines() if line.startswith("| noisy"))
    assert sorted(cell.split()[0] for cell in row.split("|")[2:4]) == ["2.00", "3.00"]
