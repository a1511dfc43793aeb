"""Training from end to end on a synthetic corpus: cache, mixer, steps, kill and resume, model file."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from sordino.chain.model import NetworkShape
from sordino.formats.onnx import read_onnx
from support import MODELS
from train_support import require_torch, write_corpus

require_torch()
import torch  # noqa: E402

from sordino import cli  # noqa: E402
from sordino.data.cache import build_cache  # noqa: E402
from sordino.data.cleaning import clean_speech  # noqa: E402
from sordino.data.clips import load_store  # noqa: E402
from sordino.data.manifest import KINDS, CorpusError, read_manifest  # noqa: E402
from sordino.evaluation.metrics import si_sdr_db  # noqa: E402
from sordino.train.bank import make_bank  # noqa: E402
from sordino.train.checkpoint import export, load_checkpoint, to_model  # noqa: E402
from sordino.train.config import Config, Schedule, from_dict, from_record, load_config  # noqa: E402
from sordino.train.curve import draw, draw_if_possible, read_log, series  # noqa: E402
from sordino.train.dataset import Source, draw_look_ahead, prepare  # noqa: E402
from sordino.train.mixing import Mixer, active_power  # noqa: E402
from sordino.train.recipe import Recipe  # noqa: E402
from sordino.train.train import train  # noqa: E402

SHAPE = NetworkShape(channels=16, across=16, over_time=16, blocks=1, memory=8)
SCHEDULE = Schedule(
    rows=4, late_rows=2, late_frames=100, echo=2, pool=4, warm_up_steps=2, processes=1, validate_minutes=60
)
CONFIG = Config("small", SHAPE, schedule=SCHEDULE, mixing=Recipe(frames=60))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def cache(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    build_cache(corpus, folder, report=lambda line: None)
    return folder


@pytest.fixture(scope="module")
def mixer(cache: Path) -> Mixer:
    stores = {kind: load_store(cache, kind, "train") for kind in KINDS}
    return Mixer(make_bank(stores, ("voice2",), (), 30.0, torch.device("cpu")), Recipe(frames=100))


@pytest.fixture(scope="module")
def run(corpus: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    train(CONFIG, corpus, cache, out, minutes=60, seed=3, max_steps=12)
    return out


def test_cache_holds_every_clip(corpus: Path, cache: Path) -> None:
    store = load_store(cache, "speech", "train")
    assert [clip.speaker for clip in store.clips] == ["voice0", "voice1", "voice2"]
    assert store.seconds() == pytest.approx(12, abs=0.1)
    assert store.clips[0].bandwidth_hz == 16000
    before = (cache / "speech-train.i16").stat().st_mtime_ns
    build_cache(corpus, cache, report=lambda line: None)
    assert (cache / "speech-train.i16").stat().st_mtime_ns == before


def test_manifest_errors_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no manifest"):
        read_manifest(tmp_path / "manifest.csv")
    (tmp_path / "manifest.csv").write_text("path,split\n")
    with pytest.raises(CorpusError, match="missing"):
        read_manifest(tmp_path / "manifest.csv")


def test_cleaning_lowers_the_floor_and_leaves_the_voice() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(5 * 48000) / 48000
    sound = 4000 * rng.standard_normal(len(time)) * (np.sin(2 * np.pi * 0.8 * time) > 0)
    samples = np.round(sound + 40 * rng.standard_normal(len(time))).clip(-32768, 32767).astype(np.int16)
    cleaned = clean_speech(samples).astype(float)
    pause, active = slice(33000, 55000), slice(4000, 26000)
    assert cleaned[pause].std() < 0.35 * samples[pause].astype(float).std()
    assert si_sdr_db(sound[active], cleaned[active]) > 35


def test_same_seed_gives_the_same_mixtures(mixer: Mixer) -> None:
    one, same, other = mixer.draw(7, 6), mixer.draw(7, 6), mixer.draw(8, 6)
    assert torch.equal(one.noisy, same.noisy) and torch.equal(one.clean, same.clean)
    assert not torch.equal(one.noisy, other.noisy)
    assert one.noisy.shape == (6, 48000)


def test_examples_with_less_look_ahead(mixer: Mixer) -> None:
    drawn = [draw_look_ahead(seed, 2, 0.4) for seed in range(3000)]
    np.testing.assert_allclose(np.bincount(drawn) / len(drawn), [0.2, 0.2, 0.6], atol=0.03)
    assert {draw_look_ahead(seed, 2, 0.0) for seed in range(300)} == {2}
    schedule = dataclasses.replace(SCHEDULE, shorter_look_ahead=1.0)
    found = Source(mixer, 2, 2, 100, schedule, seed=5, stride=1).draw()
    frames = draw_look_ahead(5, 2, 1.0)
    wanted = prepare(mixer.draw(5, 2), frames, 100)
    assert frames < 2 and torch.equal(found.features, wanted.features)
    assert torch.equal(found.targets.gain, wanted.targets.gain)


def test_mixtures_have_the_levels_asked_for(mixer: Mixer) -> None:
    plain = {"reverberant": 0.0, "only_noise": 0.0, "only_speech": 0.0, "overdriven": 0.0}
    recipe = Recipe(frames=100, snr_mean_db=6, snr_spread_db=0, level_range_db=(-30, -30), **plain)
    batch = Mixer(mixer.bank, recipe).draw(1, 8)
    level = 10 * torch.log10(active_power(batch.clean))
    ratio = level - 10 * torch.log10(active_power(batch.noisy - batch.clean))
    torch.testing.assert_close(level, torch.full((8,), -30.0), atol=0.1, rtol=0)
    torch.testing.assert_close(ratio, torch.full((8,), 6.0), atol=0.3, rtol=0)


def test_special_cases(mixer: Mixer) -> None:
    silent = Mixer(mixer.bank, Recipe(frames=100, only_noise=1.0, only_speech=0.0)).draw(1, 4)
    assert (silent.clean == 0).all() and (silent.level == 0).all() and silent.noisy.abs().amax(-1).min() > 0
    clean = Mixer(mixer.bank, Recipe(frames=100, only_noise=0.0, only_speech=1.0, reverberant=0.0)).draw(1, 4)
    assert torch.equal(clean.clean, clean.noisy)
    loud = Mixer(mixer.bank, Recipe(frames=100, level_range_db=(0, 0))).draw(1, 4)
    assert loud.noisy.abs().max() <= 0.981


def test_excluded_speakers_stay_out(mixer: Mixer) -> None:
    assert [clip.speaker for clip in mixer.bank.speech.clips] == ["voice0", "voice1"]


def test_training_lowers_the_loss(run: Path) -> None:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 12
    assert lines[-1]["valid"]["loss"] < lines[0]["valid"]["loss"]
    assert lines[-1]["quantised"] and not lines[0]["quantised"]


def test_the_curve_holds_what_the_log_says(run: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="pictures need `pip install 'sordino[plot]'`")
    lines = [
        {"step": i, "minutes": i, "hours": 2.0 * i, "quantised": i > 1, "valid": {"loss": 3.0 - i}} for i in range(3)
    ]
    again = [*lines[:2], {**lines[1], "step": 5}, *lines]  # the folder of a run that was begun anew
    (tmp_path / "log.jsonl").write_text("\n".join([*map(json.dumps, again), '{"step": 3, "val']))
    assert series(read_log(tmp_path / "log.jsonl")) == {"loss": {"valid": [(0.0, 3.0), (2.0, 2.0), (4.0, 1.0)]}}
    for log in (tmp_path / "log.jsonl", run / "log.jsonl"):
        draw(log, tmp_path / "curve.png")
        assert (tmp_path / "curve.png").read_bytes()[1:4] == b"PNG"
    (tmp_path / "log.jsonl").write_text("")
    said: list[str] = []
    draw_if_possible(tmp_path / "log.jsonl", tmp_path / "none.png", said.append)
    assert "holds no line" in said[0] and not (tmp_path / "none.png").exists()


def test_resume_goes_on(run: Path, corpus: Path, cache: Path, tmp_path: Path) -> None:
    (tmp_path / "last.pt").write_bytes((run / "last.pt").read_bytes())
    train(load_config("tiny"), corpus, cache, tmp_path, minutes=60, resume=True, max_steps=15)
    before, after = load_checkpoint(run / "last.pt"), load_checkpoint(tmp_path / "last.pt")
    assert after["steps"] == 15 and after["elapsed"] > before["elapsed"] and after["hours"] > before["hours"]
    assert after["config"] == before["config"] and after["seed"] == 3
    assert after["next_seed"] > before["next_seed"]
    torch.testing.assert_close(after["feature_mean"], before["feature_mean"])


def test_export_writes_a_model(run: Path, tmp_path: Path) -> None:
    export(run / "last.pt", tmp_path / "small.onnx")
    export(run / "last.pt", tmp_path / "again.onnx")
    assert (tmp_path / "small.onnx").read_bytes() == (tmp_path / "again.onnx").read_bytes()
    model = read_onnx(tmp_path / "small.onnx")
    assert model.shape == SHAPE and model.look_ahead == 2 and model.record["seed"] == 3
    export(run / "last.pt", tmp_path / "small.npz")
    np.testing.assert_array_equal(np.load(tmp_path / "small.npz")["patch.weight"], model.weights["patch.weight"])
    with pytest.raises(ValueError, match="suffix"):
        export(run / "last.pt", tmp_path / "small.bin")


def test_the_command_blends(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    export(run / "last.pt", tmp_path / "alone.onnx")

    def command(*words: object) -> None:
        monkeypatch.setattr("sys.argv", ["sordino", "develop", "finish", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        assert not end.value.code, capsys.readouterr().err

    mix = ("--blend", f"{tmp_path / 'alone.onnx'}=0.5", "--blend", f"{run / 'last.pt'}=0.25")
    command(run / "last.pt", tmp_path / "both.onnx", *mix)
    found, wanted = (read_onnx(tmp_path / name) for name in ("both.onnx", "alone.onnx"))
    blended = found.record["blended_with"]  # with itself
    assert (blended["share"], blended["after"]["share"]) == (0.25, 0.5)
    for name, weight in wanted.weights.items():
        np.testing.assert_allclose(found.weights[name], weight, atol=1e-6)
    with pytest.raises(AssertionError, match=r"wanted \.pt or \.onnx"):
        command(tmp_path / "run.txt", tmp_path / "out.onnx")
    with pytest.raises(AssertionError, match="wanted EARLIER=SHARE"):
        command(run / "last.pt", tmp_path / "out.onnx", "--blend", "before.onnx")


def test_config_round_trip_and_errors() -> None:
    for name in ("tiny", "standard", "full"):
        config = load_config(name)
        assert from_dict(config.to_dict()) == config
    assert 80_000 < load_config("standard").network.weight_count() < 90_000
    with pytest.raises(ValueError, match="unknown settings"):
        from_dict({"name": "x", "network": dataclasses.asdict(SHAPE), "loss": {"typo": 1}})


def test_a_record_of_another_version_is_read() -> None:
    values = CONFIG.to_dict()
    values["schedule"]["only_there"] = 1.0
    assert from_record(values) == CONFIG
    with pytest.raises(ValueError, match="NetworkShape: unknown settings"):
        from_record(values | {"network": {"layers": 3}})


def test_the_checkpoint_that_ships_is_read() -> None:
    model = to_model(load_checkpoint(MODELS / "standard.pt"))
    assert model.shape == load_config("standard").network == read_onnx(MODELS / "standard.onnx").shape


def test_si_sdr() -> None:
    rng = np.random.default_rng(0)
    clean, noise = rng.standard_normal((2, 48000))
    assert si_sdr_db(clean, 0.5 * clean + 0.05 * noise) == pytest.approx(20, abs=0.2)


def test_a_finished_model_can_be_trained_further(run: Path, corpus: Path, cache: Path, tmp_path: Path) -> None:
    export(run / "last.pt", tmp_path / "small.onnx")
    train(CONFIG, corpus, cache, tmp_path, minutes=60, seed=4, max_steps=2, start_from=tmp_path / "small.onnx")
    first, after = load_checkpoint(run / "last.pt"), load_checkpoint(tmp_path / "last.pt")
    moved = max(float((after["ema"][k] - first["ema"][k]).abs().max()) for k in first["ema"])
    assert 0 < moved < 0.02
    torch.testing.assert_close(after["feature_std"], first["feature_std"])
    assert after["hours"] > first["hours"]
    with pytest.raises(ValueError, match="the config wants"):
        train(load_config("tiny"), corpus, cache, tmp_path, 1, start_from=tmp_path / "small.onnx")


def test_settings_can_be_changed_one_by_one() -> None:
    config = load_config("tiny", ["schedule.learning_rate=5e-4", 'data.exclude_speech=["x"]'])
    assert config.schedule.learning_rate == 5e-4 and config.data.exclude_speech == ("x",)
    for change in ("schedule=1", "schedule.nonsense=1"):
        with pytest.raises(ValueError, match=change.split("=")[0].split(".")[-1]):
            load_config("tiny", [change])
