"""The mixer's damage: codecs, lost packets, moving gains, clicks, rooms and extreme ratios, each by what it must do."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from golden.signals import recordings as golden_clips
from train_support import RATE, require_torch, voice, write_corpus

require_torch()
import torch  # noqa: E402

from sordino.data import extras  # noqa: E402
from sordino.data.cache import build_cache  # noqa: E402
from sordino.data.clips import STORES, Store, load_store  # noqa: E402
from sordino.data.coding import opus_copy  # noqa: E402
from sordino.data.extras import Amounts, add_extras  # noqa: E402
from sordino.data.manifest import CorpusError  # noqa: E402
from sordino.data.simulated_rooms import simulate_rooms  # noqa: E402
from sordino.train.bank import Bank, make_bank, say_once  # noqa: E402
from sordino.train.config import load_config  # noqa: E402
from sordino.train.filters import impulse_responses  # noqa: E402
from sordino.train.mixing import Mixer  # noqa: E402
from sordino.train.plan import draw_plan  # noqa: E402
from sordino.train.recipe import Recipe  # noqa: E402

PLAIN = Recipe(frames=200, level_range_db=(-40, -40), overdriven=0, reverberant=0, only_noise=0, only_speech=0)
AMOUNTS = Amounts(coded_share=0.5, rooms_per_hour=300, kbps=(6,), synthetic_per_hour=3000)
EVERYTHING = {
    name: 0.5 for name in ("coded", "lost_packets", "muted", "moving_gain", "impulsive", "simulated_response")
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixing")
    build_cache(write_corpus(folder), folder / "cache", report=lambda line: None)
    add_extras(folder / "cache", lambda line: None, AMOUNTS)
    return folder / "cache"


def read(cache: Path) -> Bank:
    stores = {name: load_store(cache, name, "train") for name in STORES}
    return make_bank(stores, (), (), 30.0, torch.device("cpu"))


@pytest.fixture(scope="module")
def bank(cache: Path) -> Bank:
    return read(cache)


def share_above(signal: torch.Tensor, hz: float) -> float:
    power = torch.fft.rfft(signal).abs().square().sum(0)
    return float(power[int(hz * signal.shape[-1] / RATE) :].sum() / power.sum())


def test_opus_at_a_low_rate_cuts_the_band() -> None:
    samples = np.round(32767 * voice(1, 1) + 300 * np.random.default_rng(0).standard_normal(RATE)).astype(np.int16)
    coded = opus_copy(samples, 6)
    assert len(coded) == len(samples)
    assert share_above(torch.from_numpy(coded)[None].float(), 8000) < 1e-6
    assert share_above(torch.from_numpy(samples)[None].float(), 8000) > 1e-3
    with pytest.raises(ValueError, match="6 to 256"):
        opus_copy(samples, 2)


def test_above_the_band_of_the_codec_is_nothing_in_mixture_and_target(bank: Bank) -> None:
    coded = Mixer(bank, replace(PLAIN, coded=1, babble=0)).draw(3, 6)
    usual = Mixer(bank, replace(PLAIN, babble=0)).draw(3, 6)
    assert share_above(coded.noisy, 7000) < 1e-6 < 1e-2 < share_above(usual.noisy, 7000)
    assert share_above(coded.clean, 7000) < 1e-6
    assert (coded.bandwidth_hz < 7000).all() and (coded.level > 0).all()


def test_lost_packets_are_silent_in_mixture_and_target(bank: Bank) -> None:
    recipe = replace(PLAIN, lost_packets=1)
    batch, whole = Mixer(bank, recipe).draw(4, 6), Mixer(bank, PLAIN).draw(4, 6)
    gaps = draw_plan(np.random.default_rng(4), bank, recipe, 6).damage.gaps
    assert {gap.row for gap in gaps} == set(range(6)) and len(gaps) > 8
    assert all(0.01 <= gap.length / RATE <= 0.06 for gap in gaps)
    lost = torch.zeros_like(batch.noisy, dtype=torch.bool)
    for gap in gaps:
        lost[gap.row, gap.at : gap.at + gap.length] = True
    assert (batch.noisy[lost] == 0).all() and (batch.clean[lost] == 0).all()
    assert torch.equal(batch.noisy[~lost], whole.noisy[~lost]) and torch.equal(batch.clean[~lost], whole.clean[~lost])
    assert 0.005 < float(lost.float().mean()) < 0.3


def test_a_muted_stretch_is_long_and_often_comes_first(bank: Bank) -> None:
    gaps = draw_plan(np.random.default_rng(1), bank, replace(PLAIN, muted=1), 40).damage.gaps
    assert all(0.1 <= gap.length / RATE <= 1 for gap in gaps)
    assert 10 <= sum(gap.at == 0 for gap in gaps) <= 30


def test_a_moving_gain_acts_on_mixture_and_target_alike(bank: Bank) -> None:
    moved, still = Mixer(bank, replace(PLAIN, moving_gain=1)).draw(5, 6), Mixer(bank, PLAIN).draw(5, 6)
    changes_db = []
    for row in range(6):
        sounding = (still.clean[row].abs() > 1e-4) & (still.noisy[row].abs() > 1e-4)
        of_target = moved.clean[row][sounding] / still.clean[row][sounding]
        of_mixture = moved.noisy[row][sounding] / still.noisy[row][sounding]
        torch.testing.assert_close(of_target, of_mixture, rtol=1e-3, atol=0)
        changes_db.append(float(20 * torch.log10(of_target.max() / of_target.min())))
    assert np.median(changes_db) > 2 and max(changes_db) < 60


def test_ratios_reach_both_ends(bank: Bank) -> None:
    recipe = replace(PLAIN, frames=20, snr_range_db=(-10, 40), snr_even=0.3)
    found = draw_plan(np.random.default_rng(2), bank, recipe, 600).values["snr_db"]
    assert -10 <= found.min() < -9 and 39 < found.max() <= 40
    assert 5 < np.median(found) < 15, "most are drawn around the mean"


def test_clicks_are_short_and_apart(bank: Bank) -> None:
    recipe = replace(PLAIN, impulsive=1, babble=0, music=0, white=0, second_noise=0, snr_mean_db=0, snr_spread_db=0)
    clicking = draw_plan(np.random.default_rng(6), bank, recipe, 16)
    assert clicking.clicks and not bank.impulsive.clips, "steady noise is not impulsive"
    batch, steady = Mixer(bank, recipe).draw(6, 16), Mixer(bank, replace(recipe, impulsive=0)).draw(6, 16)

    def duty(noise: torch.Tensor) -> torch.Tensor:
        power = noise.unfold(-1, 480, 480).square().mean(-1)
        return power.mean(-1).square() / power.square().mean(-1)

    assert duty(batch.noisy - batch.clean).median() < 0.3 < 0.8 < duty(steady.noisy - steady.clean).median()


def test_steady_noise_is_one_clip_without_a_pause(bank: Bank) -> None:
    recipe = replace(PLAIN, frames=1500, steady=1, music=0, babble=0, white=0, second_noise=0)
    for row in range(6):
        pieces = [piece for piece in draw_plan(np.random.default_rng(7), bank, recipe, 6).noise if piece.row == row]
        ends = [piece.at + piece.length for piece in pieces]
        assert [piece.at for piece in pieces] == [0, *ends[:-1]] and ends[-1] == 1500 * 480
        assert len({piece.gain for piece in pieces}) == 1
    assert len(draw_plan(np.random.default_rng(7), bank, recipe, 6).noise) > 6, "some clip came more than once"


def test_noise_at_another_speed_has_another_pitch(bank: Bank) -> None:
    tone = (10000 * np.sin(2 * np.pi * 1000 * np.arange(60 * RATE) / RATE)).astype(np.int16)
    alone = replace(bank, samples=torch.from_numpy(np.tile(tone, 3)), margin=60 * RATE)
    recipe = replace(PLAIN, only_noise=1, second_noise=1, other_noise_speed=1, noise_speed_range=(1.5, 1.5), white=0)
    flat = replace(recipe, noise_curve_db=0, music=0, babble=0, low_pass=0, high_pass=0)
    for speed, wanted_hz in ((0, 1000), (1, 1500)):
        noisy = Mixer(alone, replace(flat, other_noise_speed=speed)).draw(1, 3).noisy
        peak = torch.fft.rfft(noisy).abs().argmax(-1) * RATE / noisy.shape[-1]
        torch.testing.assert_close(peak, torch.full((3,), float(wanted_hz)), atol=2, rtol=0)


def test_signals_longer_than_the_silence_around_the_bank_are_refused(bank: Bank) -> None:
    with pytest.raises(ValueError, match="signals of 40 s, wanted at most 30"):
        Mixer(bank, replace(PLAIN, frames=4000))


def test_synthetic_noise_and_music_take_the_place_of_recordings(bank: Bank) -> None:
    assert bank.synthetic.noise.clips and bank.synthetic.music.clips
    recipe = replace(PLAIN, music=0.5, babble=0, white=0, second_noise=0.5)
    made = {int(start) for shelf in (bank.synthetic.noise, bank.synthetic.music) for start in shelf.starts}
    first = min(made)

    def share(chance: float) -> float:
        plan = draw_plan(np.random.default_rng(1), bank, replace(recipe, synthetic=chance), 200)
        return float(np.mean([piece.start >= first for piece in (*plan.noise, *plan.second)]))

    assert share(0) == 0 and share(1) == 1 and 0.2 < share(0.5) < 0.8
    noisy = Mixer(bank, replace(recipe, synthetic=1)).draw(3, 8)
    assert (noisy.noisy - noisy.clean).square().mean(1).min() > 0


def test_impulsive_recordings_are_told_from_steady_ones(bank: Bank) -> None:
    knocks = np.zeros(4 * RATE, np.int16)
    knocks[RATE : RATE + 500] = 9000
    steady = np.full(RATE, 500, np.int16)
    clips = [replace(bank.noise.clips[0], start=start, length=n) for start, n in ((0, 4 * RATE), (4 * RATE, RATE))]
    noise = Store(np.concatenate([knocks, steady]), tuple(clips))
    stores = {"speech": Store(steady, (replace(clips[0], length=RATE),)), "noise": noise}
    assert make_bank(stores, (), (), -1e9, torch.device("cpu")).impulsive.clips == (clips[0],)


def test_simulated_rooms_are_rooms() -> None:
    pytest.importorskip("pyroomacoustics")
    rooms, again, others = simulate_rooms(2, 1), simulate_rooms(2, 1), simulate_rooms(2, 2)
    assert all(np.array_equal(one, same) for one, same in zip(rooms, again, strict=True))
    assert not any(np.array_equal(one[:500], other[:500]) for one, other in zip(rooms, others, strict=True))
    for room in rooms:
        assert room[0] == 1 and np.abs(room).max() == 1
        left = np.cumsum(room[::-1].astype(float) ** 2)[::-1]
        assert left[len(room) // 2] < 0.1 * left[0] and 0.05 < len(room) / RATE < 3


def test_targets_keep_the_early_part_of_simulated_rooms(bank: Bank) -> None:
    pytest.importorskip("pyroomacoustics")
    recipe = replace(PLAIN, reverberant=1, simulated_response=1)
    plan = draw_plan(np.random.default_rng(7), bank, recipe, 4)
    assert all(index >= len(bank.responses) for index in plan.recorded)
    full, target = impulse_responses(plan, bank, RATE)
    early = RATE // 50
    torch.testing.assert_close(full[:, :early], target[:, :early])
    assert (target[:, early:].square().sum(-1) <= full[:, early:].square().sum(-1)).all()
    assert float(target[:, 4 * early :].square().sum()) < 0.5 * float(full[:, 4 * early :].square().sum())
    index = plan.recorded[0] - len(bank.responses)
    wanted = bank.rooms[index][:RATE]
    torch.testing.assert_close(full[0, : len(wanted)], wanted / wanted.square().sum().sqrt())


def test_the_same_seed_gives_the_same_damage(bank: Bank) -> None:
    recipe = Recipe(frames=100, reverberant=0.7, **EVERYTHING)
    one, same, other = (Mixer(bank, recipe).draw(seed, 8) for seed in (9, 9, 10))
    assert torch.equal(one.noisy, same.noisy) and torch.equal(one.clean, same.clean)
    assert not torch.equal(one.noisy, other.noisy)
    assert torch.isfinite(one.noisy).all() and one.noisy.abs().max() <= 0.981


def test_a_cache_without_extras_works_and_says_so_once(
    cache: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for path in cache.iterdir():
        if not path.name.startswith(("coded", "room", "synthetic", "extras")):
            (tmp_path / path.name).symlink_to(path)
    say_once.cache_clear()
    old = read(tmp_path)
    recipe = replace(PLAIN, reverberant=0.5)
    wanted = replace(recipe, coded=0.5, simulated_response=0.5)
    found = [Mixer(old, wanted).draw(1, 4), Mixer(old, wanted).draw(1, 4), Mixer(old, recipe).draw(1, 4)]
    assert torch.equal(found[0].noisy, found[2].noisy)
    said = capfd.readouterr().err
    assert said.count("no Opus-coded copies") == 1 == said.count("no simulated rooms")
    (tmp_path / "extras.json").write_text(json.dumps({"mark": "another", "stores": {"room-train": [1]}, "voices": {}}))
    assert not load_store(tmp_path, "room", "train").clips


def test_noise_with_voices_is_left_out_by_what_a_detector_hears(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path)
    talk = next(iter(golden_clips().values()))[: 3 * RATE]
    soundfile.write(tmp_path / "noise" / "train" / "noise1.wav", talk, RATE)
    build_cache(corpus, tmp_path / "cache", report=lambda line: None)
    noise = load_store(tmp_path / "cache", "noise", "train").clips
    steady, talking = (clip.voice_share for clip in noise)
    assert steady < 0.1 < 0.25 < talking <= 1
    stores = {name: load_store(tmp_path / "cache", name, "train") for name in STORES}

    def kept(limit: float) -> list[str]:
        bank = make_bank(stores, (), (), 30.0, torch.device("cpu"), limit)
        return [Path(clip.path).stem for clip in bank.noise.clips]

    assert kept(0.25) == ["noise0"] and kept(1.0) == ["noise0", "noise1"]
    with pytest.raises(CorpusError, match="no noise clips are left of 2"):
        kept(-1)


def test_a_search_for_voices_that_failed_is_made_up_for_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_cache(write_corpus(tmp_path), tmp_path / "cache", report=lambda line: None)
    before = json.loads((tmp_path / "cache" / "extras.json").read_text())
    assert before["voices"].keys() == {"noise-train", "noise-valid"}
    (tmp_path / "cache" / "extras.json").write_text(json.dumps(before | {"voices": {}}))
    monkeypatch.setattr(extras, "_make_sounds", lambda *_: pytest.fail("the sounds are whole"))
    said: list[str] = []
    add_extras(tmp_path / "cache", said.append)
    assert json.loads((tmp_path / "cache" / "extras.json").read_text()) == before
    assert len(said) == 2 and "seem to hold voices" in said[0]


def test_cleaned_and_dropped_targets_are_the_same_each_time(cache: Path, tmp_path: Path) -> None:
    build_cache(write_corpus(tmp_path), tmp_path / "cache", report=lambda line: None)
    add_extras(tmp_path / "cache", lambda line: None, AMOUNTS)
    for path in sorted((tmp_path / "cache").iterdir()):
        assert path.read_bytes() == (cache / path.name).read_bytes(), path.name
    train, valid = (load_store(cache, "speech", split).samples for split in ("train", "valid"))
    assert not np.array_equal(train, valid), "only training targets are cleaned; the recordings are equal"
    stores = {name: load_store(cache, name, "train") for name in STORES}
    assert len(make_bank(stores, (), (), 39.0, torch.device("cpu")).speech.clips) == 3
    with pytest.raises(CorpusError, match="no speech clips are left of 3"):
        make_bank(stores, (), (), 41.0, torch.device("cpu"))


def test_the_configs_use_the_whole_mixer() -> None:
    for name in ("tiny", "standard", "full"):
        recipe = load_config(name).mixing
        assert recipe.snr_range_db == (-10, 40)
        assert load_config(name).data.voice_limit < 0.5
        assert recipe.level_range_db[1] - recipe.level_range_db[0] > 40
        assert all(0.02 <= getattr(recipe, key) <= 0.1 for key in set(EVERYTHING) - {"simulated_response"})
