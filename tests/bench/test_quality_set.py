"""The test set of the quality comparison: reproducible from its seed, mixed as asked, made once."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sordino.chain.params import SAMPLE_RATE
from sordino.data.clips import Clip, Store, active_level_db
from sordino.data.manifest import CorpusError
from sordino.evaluation import rooms, testset
from sordino.evaluation.measures import active_power
from sordino.evaluation.testset import ORDER, SAMPLES, Material, make_clip
from sordino.evaluation.voices import at_speed
from support import ROOT
from train_support import voice

CACHE = ROOT / "data" / "cache"


def store(*recordings: tuple[str, str, str, np.ndarray]) -> Store:
    """Recordings as (path, speaker, category, samples in -1..1)."""
    clips, flat, start = [], [], 0
    for path, speaker, category, samples in recordings:
        whole = np.round(samples * 32767).astype(np.int16)
        clips.append(Clip(path, start, len(whole), speaker, category, 16000.0, 40.0, active_level_db(whole)))
        flat.append(whole)
        start += len(whole)
    return Store(np.concatenate(flat or [np.zeros(0, np.int16)]), tuple(clips))


@pytest.fixture(scope="module")
def material() -> Material:
    rng = np.random.default_rng(0)
    hiss = [0.05 * rng.standard_normal(n * SAMPLE_RATE) for n in (3, 9)]
    decay = np.exp(-np.arange(9600) / 2000) * rng.standard_normal(9600)
    return Material(
        store(*((f"voice{i}", f"speaker{i}", "xx", voice(9, i)) for i in range(6))),
        store(("rain", "", "rain_water", hiss[0]), ("keys", "", "keyboard", hiss[1])),
        store(("tune", "", "", voice(8, 20))),
        store(("hall", "", "", decay / np.abs(decay).max())),
    )


def test_same_seed_same_clip(material: Material):
    for index in (0, 1, 3, 5):
        one, same, other = make_clip(7, index, material), make_clip(7, index, material), make_clip(8, index, material)
        assert one[0] == same[0] and all(np.array_equal(a, b) for a, b in zip(one[1:], same[1:], strict=True))
        assert not np.array_equal(one[1], other[1])


def test_parts_and_levels(material: Material):
    for index, part in enumerate(ORDER):
        case, noisy, clean = make_clip(1, index, material)
        assert case.part == part and noisy.shape == clean.shape == (SAMPLES,) and np.abs(noisy).max() <= 0.9001
        if part in ("clean", "music alone"):
            assert np.array_equal(noisy, clean)
        elif part != "reverberant":
            ratio = 10 * np.log10(active_power(clean) / active_power(noisy - clean))
            assert ratio == pytest.approx(case.snr_db, abs=0.1)
        if part == "babble":
            assert case.sources[0] not in case.sources[1:]


def test_ratios_cover_the_range_evenly(material: Material):
    plain = [index for index in range(60) if ORDER[index % 20] == "plain"]
    ratios = np.array([make_clip(1, index, material)[0].snr_db for index in plain])
    counts = np.histogram(ratios, 5, testset.SNR_RANGE_DB)[0]
    assert counts.sum() == len(plain) and counts.min() >= 4


def test_one_ratio_for_all(material: Material):
    for index, part in enumerate(ORDER):
        case, noisy, clean = make_clip(1, index, material, 10)
        if part in ("plain", "babble", "music"):
            ratio = 10 * np.log10(active_power(clean) / active_power(noisy - clean))
            assert case.snr_db == 10 and ratio == pytest.approx(10, abs=0.1)
    assert case.part == "music alone" and case.snr_db == -np.inf


def test_a_room_begins_with_the_direct_sound():
    size, source, microphone = np.array([5.0, 4.0, 2.7]), np.array([1.0, 1.5, 1.2]), np.array([2.0, 1.5, 1.2])
    response = rooms.shoebox(size, source, microphone, 0.4)
    floor = round((np.hypot(1, 2.4) - 1) / rooms.SOUND_SPEED * SAMPLE_RATE)
    assert response[0] == 1 and not response[1:floor].any() and response[floor] < 0, "the floor reflects first"
    energy = np.cumsum(response[::-1].astype(float) ** 2)[::-1]
    fall = 10 * np.log10(energy[int(0.05 * SAMPLE_RATE)] / energy[int(0.15 * SAMPLE_RATE)])
    assert fall == pytest.approx(60 * 0.1 / 0.4, rel=0.35)
    early = rooms.early_part(response)
    assert early[0] == 1 and not early[int(rooms.EARLY_S * SAMPLE_RATE) :].any()


def test_a_set_is_made_once_and_grows(material: Material, tmp_path: Path):
    made: list[int] = []
    few = testset.write_set(tmp_path, 1, 2, lambda: material, made.append)
    before = (tmp_path / "noisy" / "0001.flac").read_bytes()
    more = testset.write_set(tmp_path, 1, 3, lambda: material, made.append)
    assert made == [0, 1, 2] and more[:2] == few
    assert (tmp_path / "noisy" / "0001.flac").read_bytes() == before
    again = testset.write_set(tmp_path, 1, 3, pytest.fail, made.append)
    assert again == more
    noisy, rate = soundfile.read(tmp_path / "noisy" / "0000.flac", dtype="float32")
    assert rate == SAMPLE_RATE and np.abs(noisy - make_clip(1, 0, material)[1]).max() < 1 / 32000


def test_without_a_corpus_the_error_says_so(tmp_path: Path):
    with pytest.raises(CorpusError, match="no cache index"):
        testset.load_material(tmp_path, "test")
    (tmp_path / "index.json").write_text(json.dumps({"stores": {}}))
    with pytest.raises(CorpusError, match="no speech of the split 'test'"):
        testset.load_material(tmp_path, "test")


def test_the_corpus_gives_every_part():
    if not (CACHE / "index.json").is_file():
        pytest.skip(f"no decoded corpus in {CACHE}: `sordino train` makes one")
    for split in ("test", "valid"):
        material = testset.load_material(CACHE, split)
        parts = [make_clip(1, index, material)[0] for index in range(len(ORDER))]
        assert {case.kind for case in parts if case.part == "plain"} == set(testset.NOISE_KINDS)
        assert all(f"/{split}/" in source for case in parts for source in case.sources)


def test_a_corpus_that_lacks_something_still_gives_clips(material: Material):
    few = dataclasses.replace(
        material,
        music=store(),
        speech=store(("voice", "one", "xx", voice(9, 0))),
        noise=store(("hum", "", "hum", voice(8, 1))),
    )
    for index, part in enumerate(ORDER):
        case = make_clip(1, index, few)[0]
        assert case.part == (part if part in ("plain", "reverberant", "clean") else "plain")
        assert case.kind == ("none" if part == "clean" else testset.OTHER_NOISE)


def test_voices_at_another_speed(material: Material):
    def pitch_hz(found: Material) -> float:
        clip = found.speech.clips[0]
        sound = found.speech.samples[clip.start : clip.start + clip.length].astype(float)
        return float(np.abs(np.fft.rfft(sound)).argmax() * SAMPLE_RATE / len(sound))

    faster = at_speed(material, 1.5)
    assert pitch_hz(faster) == pytest.approx(1.5 * pitch_hz(material), rel=0.01)
    for clip, before in zip(faster.speech.clips, material.speech.clips, strict=True):
        assert clip.length == pytest.approx(before.length / 1.5, abs=2)
        assert clip.bandwidth_hz == min(1.5 * before.bandwidth_hz, SAMPLE_RATE / 2)
    assert sum(clip.length for clip in faster.speech.clips) == len(faster.speech.samples)
    assert at_speed(material, 1) is material and faster.noise is material.noise
    with pytest.raises(ValueError, match=r"speed 3, wanted 0\.5 to 2"):
        at_speed(material, 3)
