"""The public interface: any block gives the offline bytes, engines agree, threads run apart, the latency is true."""

import threading
import tomllib

import numpy as np
import pytest

import sordino
from golden.signals import recordings
from sordino import _native
from sordino.chain.records import Settings
from sordino.run.engines import NativeEngine, find_model, load_weights
from sordino.run.stream import reserve
from support import ROOT

BLOCKS = (1, 17, 441, 480, 4096)
RATES = (8_000, 16_000, 44_100, 44_056, 96_000)
DTYPES = (np.float32, np.float64, np.int16)


@pytest.fixture(scope="module")
def clip():
    return next(iter(recordings().values()))[: 2 * 48_000]


def streamed(stream, samples, block):
    """All of a recording through a stream, aligned."""
    latency = stream.latency
    parts = [stream.process(samples[..., n : n + block]) for n in range(0, samples.shape[-1], block)]
    return np.concatenate([*parts, stream.flush()], axis=-1)[..., latency:]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_streaming_equals_offline(clip, block, dtype):
    samples = (clip * 32_768 if dtype == np.int16 else clip).astype(dtype)[: 48_000 if block == 1 else None]
    wanted = sordino.denoise(samples, 48_000)
    got = streamed(sordino.Denoiser(), samples, block)
    assert (got.dtype, got.shape) == (samples.dtype, samples.shape)
    assert got.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("block", [17, 441, 4096])
def test_streaming_equals_offline_at_other_rates(clip, rate, block):
    samples = clip[:rate]
    assert streamed(sordino.Denoiser(rate), samples, block).tobytes() == sordino.denoise(samples, rate).tobytes()


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_recording_costs_no_more_than_its_latency_beyond_it(clip, rate, monkeypatch):
    given, advance = [], sordino.Denoiser._advance
    monkeypatch.setattr(sordino.Denoiser, "_advance", lambda s, x: given.append(x.shape[1]) or advance(s, x))
    sordino.denoise(clip[: 3 * rate // 2], rate)
    assert sum(given) == 3 * rate // 2 + sordino.Denoiser(rate).latency
    given.clear()
    assert sordino.denoise(clip[:0], rate).size == 0 and not given


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("block", [17, 480])
def test_streaming_equals_offline_with_channels(clip, linked, block):
    samples = np.stack([clip, np.roll(clip, 700) * np.float32(0.5)])[:, :30_000]
    wanted = sordino.denoise(samples, 48_000, linked=linked)
    assert streamed(sordino.Denoiser(channels=2, linked=linked), samples, block).tobytes() == wanted.tobytes()


@pytest.mark.parametrize("look_ahead", [0, 1, 2])
def test_less_look_ahead_is_less_latency(clip, look_ahead):
    samples = clip[:24_000]
    wanted = sordino.denoise(samples, 48_000, look_ahead=look_ahead)
    stream = sordino.Denoiser(look_ahead=look_ahead, block_size=480)
    assert stream.latency == 480 * (1 + look_ahead)
    assert streamed(stream, samples, 480).tobytes() == wanted.tobytes()
    assert (wanted.tobytes() == sordino.denoise(samples, 48_000).tobytes()) == (look_ahead == 2)
    for engine in ("wasm", "reference"):
        other = sordino.denoise(samples[:4800], 48_000, look_ahead=look_ahead, engine=engine)
        assert other.tobytes() == sordino.denoise(samples[:4800], 48_000, look_ahead=look_ahead).tobytes(), engine


def test_offline_gives_the_bytes_of_the_stream_of_hops(clip):
    engine = NativeEngine(load_weights(find_model("standard")), Settings())
    hops = engine.process(np.concatenate([clip, np.zeros(engine.latency, np.float32)]))
    assert sordino.denoise(clip, 48_000).tobytes() == hops[engine.latency :].tobytes()


@pytest.mark.parametrize("rate", [48_000, 16_000])
@pytest.mark.parametrize("linked", [False, True])
def test_engines_give_the_same_bytes(clip, rate, linked):
    samples = np.stack([clip, -clip[::-1]])[:, : rate // 2]
    wanted = sordino.denoise(samples, rate, linked=linked)
    for engine in ("wasm", "reference"):
        assert sordino.denoise(samples, rate, linked=linked, engine=engine).tobytes() == wanted.tobytes(), engine


@pytest.mark.parametrize("engine", ["native", "wasm", "reference"])
def test_engines_tell_the_same_decisions(clip, engine):
    stream, other = sordino.Denoiser(engine=engine), sordino.Denoiser()
    assert (stream.voice, other.voice) == (0, 0)
    for n in range(0, 9600, 480):
        stream.process(clip[n : n + 480])
        other.process(clip[n : n + 480])
        assert (stream.voice, stream.pitch_hz) == (other.voice, other.pitch_hz)
        assert np.array_equal(stream.gains, other.gains)
        assert np.array_equal(stream.strengths, other.strengths)
    assert stream.gains.shape == (34,)
    assert 60 <= stream.pitch_hz <= 500


@pytest.mark.parametrize("kernel", [name for name, usable in _native.kernels().items() if usable])
def test_every_dot_product_gives_the_same_bytes(clip, kernel):
    wanted = sordino.denoise(clip, 48_000, engine="wasm")
    try:
        assert _native.choose_kernel(kernel) == kernel
        assert sordino.denoise(clip, 48_000).tobytes() == wanted.tobytes()
    finally:
        fastest = _native.choose_kernel()
    assert fastest == next(name for name, usable in _native.kernels().items() if usable)


@pytest.mark.parametrize("name", ["sse9", ""])
def test_an_unknown_dot_product_is_refused(name):
    with pytest.raises(ValueError, match="can be used"):
        _native.choose_kernel(name)


@pytest.mark.parametrize("rate", [48_000, *RATES])
@pytest.mark.parametrize("block", [1, 128, 480])
def test_the_latency_is_true(rate, block):
    """With nothing attenuated an impulse comes out as late as said."""
    stream = sordino.Denoiser(rate, block_size=block, attenuation_limit_db=0, post_filter=False)
    at = 20 * block
    samples = np.zeros((at + stream.latency + rate // 10) // block * block, np.float32)
    samples[at] = 0.5
    out = np.concatenate([stream.process(samples[n : n + block]) for n in range(0, samples.size, block)])
    assert int(np.argmax(np.abs(out))) - at == stream.latency


def test_latencies_at_48_khz():
    assert [sordino.Denoiser(block_size=b).latency for b in (1, 128, 480, 960)] == [1919, 1888, 1440, 1440]


@pytest.mark.parametrize("rate", [48_000, *RATES])
@pytest.mark.parametrize("block", [1, 7, 128, 480])
def test_no_more_is_held_back_than_needed(rate, block):
    """The reserve just suffices: with one sample less some block would come out short."""
    heard = np.arange(block, rate * 70, block, dtype=np.int64)
    at_48k = -(-heard * 48_000 // rate)
    ready = -(-(at_48k // 480 * 480) * rate // 48_000)
    assert int((heard - ready).max()) == reserve(rate, block)


def test_reset_and_flush_make_a_stream_new(clip):
    stream = sordino.Denoiser()
    first = stream.process(clip[:10_000])
    stream.reset()
    assert stream.process(clip[:10_000]).tobytes() == first.tobytes()
    assert stream.flush().shape == (stream.latency,)
    assert stream.process(clip[:10_000]).tobytes() == first.tobytes()


def test_settings_may_change_between_blocks(clip):
    stream = sordino.Denoiser(block_size=480)
    stream.process(clip[:24_000])
    assert (stream.attenuation_limit_db, stream.post_filter) == (None, 0)
    stream.attenuation_limit_db, stream.post_filter = 12, True
    assert (stream.attenuation_limit_db, stream.post_filter) == (12, 1)
    stream.attenuation_limit_db, stream.post_filter = 0, False
    stream.process(clip[24_000:28_800])
    open_ = stream.process(clip[28_800:38_400])
    assert (stream.attenuation_limit_db, stream.post_filter) == (0, 0)
    wanted = sordino.denoise(clip, 48_000, attenuation_limit_db=0, post_filter=False)[28_800 - 1440 :][:9600]
    assert np.abs(open_ - wanted).max() < 1e-4


def test_an_attenuation_limit_keeps_that_much(clip):
    noise = np.random.default_rng(0).normal(0, 0.05, 96_000).astype(np.float32)
    for limit_db in (3, 12):
        out = sordino.denoise(noise, 48_000, attenuation_limit_db=limit_db, post_filter=False)
        assert 20 * np.log10(np.std(out) / np.std(noise)) > -limit_db - 1.5


def test_a_limit_of_0_db_leaves_everything(clip):
    for post_filter in (0, 1, 2):
        out = sordino.denoise(clip, 48_000, attenuation_limit_db=0, post_filter=post_filter)
        assert np.abs(out - clip)[960:-960].max() < 1e-6


def test_linked_channels_keep_their_balance(clip):
    left_right = np.stack([clip, clip * np.float32(0.25)])
    out = sordino.denoise(left_right, 48_000, linked=True)
    assert np.abs(out[1] - out[0] * 0.25).max() < 1e-4


def test_models_by_name_and_path(clip):
    wanted = sordino.denoise(clip[:4800], 48_000)
    path = sordino.find_model("standard")
    for model in (path, str(path), path.with_suffix(".sordino")):
        assert sordino.denoise(clip[:4800], 48_000, model=model).tobytes() == wanted.tobytes()
    assert "standard" in sordino.model_names()


def test_streams_run_in_parallel(clip):
    """Threads with an object each give what one thread gives."""
    wanted = sordino.denoise(clip, 48_000).tobytes()
    results = [b""] * 4

    def work(i):
        results[i] = streamed(sordino.Denoiser(), clip, 1000 + i).tobytes()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [wanted] * 4


def test_other_threads_run_while_a_stream_computes(clip):
    """The interpreter is free: this thread counts while another is inside process."""
    stream = _native.Stream(load_weights(find_model("standard")))
    samples = np.tile(clip, 40)
    thread = threading.Thread(target=stream.process, args=(np.empty_like(samples), samples))
    thread.start()
    count = 0
    while thread.is_alive():
        count += 1
    assert count > 1000


def test_one_stream_in_two_threads_is_refused(clip):
    stream = _native.Stream(load_weights(find_model("standard")))
    samples = np.tile(clip, 40)
    thread = threading.Thread(target=stream.process, args=(np.empty_like(samples), samples))
    thread.start()
    refused = False
    while thread.is_alive() and not refused:
        try:
            stream.process(samples[:480].copy(), samples[:480])
        except RuntimeError as error:
            refused = "another thread" in str(error)
    thread.join()
    assert refused


def test_buffers_need_no_numpy():
    from array import array

    stream = _native.Stream(sordino.load_weights(sordino.find_model("standard")))
    hop, out = array("f", [0.1] * 480), array("f", bytes(1920))
    stream.process(out, hop)
    stream.process(memoryview(out), memoryview(hop))
    assert any(out)


def test_the_package_imports_without_numpy():
    import subprocess
    import sys

    code = "import sys; sys.modules['numpy'] = None; from sordino import find_model, load_weights, _native;"
    code += "print(len(load_weights(find_model('standard'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert int(done.stdout) > 100_000, done.stderr


def test_speed(record_property):
    """A minute at 48 kHz on one core; the bar is 100 x real time, the test leaves room for a busy machine."""
    import time

    samples = (np.random.default_rng(0).standard_normal(60 * 48_000) * 0.05).astype(np.float32)
    start = time.thread_time()
    sordino.denoise(samples, 48_000)
    factor = 60 / (time.thread_time() - start)
    fastest = next(name for name, usable in _native.kernels().items() if usable)
    record_property("native speed", f"{factor:.0f} x real time on one core ({fastest})")
    assert factor > 25 or fastest == "scalar"


def test_the_whole_package_is_typed():
    """mypy --strict, as pyproject.toml sets it up."""
    import subprocess
    import sys

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    assert settings["strict"] and "exclude" not in settings
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
