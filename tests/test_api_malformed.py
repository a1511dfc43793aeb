"""Malformed input: a typed error and no output, never a crash; odd but sound input is cleaned."""

import shutil
import struct
import sys

import numpy as np
import pytest
import soundfile

import sordino
from sordino import cli
from sordino.chain.model import ModelError
from sordino.run.engines import EngineError

TYPED = (TypeError, ValueError, OSError, EngineError, ModelError)
GOOD = np.random.default_rng(0).normal(0, 0.1, 4800).astype(np.float32)

BAD_TYPES = [None, "noise", b"noise", 3, 0.5, [0.1, 0.2], (0.1,), {}, memoryview(bytes(8)), object()]
BAD_DTYPES = ["bool", "i1", "u1", "u2", "i4", "u4", "i8", "u8", "f2", ">f4", ">i2", "c8", "O", "U3", "S3", "M8[s]"]
BAD_SHAPES = [(), (0, 5), (0, 0), (65, 10), (48_000, 2), (2, 3, 4), (1, 1, 1, 1)]
BAD_RATES = [0, -1, 999, 768_001, 10**9, 10**30, np.nan, np.inf, -np.inf, 44_100.5, "48000", None, True, [48_000], 1j]
BAD_LIMITS = [-1, -1e-9, np.nan, np.inf, "3", True, [1], 1j]
BAD_PASSES = [3, -1, 0.5, "on", None, [1]]
BAD_LOOK_AHEADS = [3, -1, 0.5, "2", None, True]
BAD_MODELS = ["", "nope", "../standard", "none.onnx", "none.sordino", None, 3, b"standard", ".", "/", "x\0", "a" * 5000]
BAD_ENGINES = ["", "gpu", "Native", None, 5]
BAD_CHANNELS = [0, -1, 65, 1.5, "2", None, np.nan, True]
BAD_BLOCKS = [0, -5, 1 << 21, 2.5, None, "480"]
CALLS = [
    *(("samples", lambda x=x: sordino.denoise(x, 48_000)) for x in BAD_TYPES),
    *(("dtype", lambda d=d: sordino.denoise(np.zeros(48, d), 48_000)) for d in BAD_DTYPES),
    *(("shape", lambda s=s: sordino.denoise(np.zeros(s, np.float32), 48_000)) for s in BAD_SHAPES),
    *(("rate", lambda r=r: sordino.denoise(GOOD, r)) for r in BAD_RATES),
    *(("limit", lambda d=d: sordino.denoise(GOOD, 48_000, attenuation_limit_db=d)) for d in BAD_LIMITS),
    *(("passes", lambda p=p: sordino.denoise(GOOD, 48_000, post_filter=p)) for p in BAD_PASSES),
    *(("look-ahead", lambda n=n: sordino.denoise(GOOD, 48_000, look_ahead=n)) for n in BAD_LOOK_AHEADS),
    *(("model", lambda m=m: sordino.denoise(GOOD, 48_000, model=m)) for m in BAD_MODELS),
    *(("engine", lambda e=e: sordino.denoise(GOOD, 48_000, engine=e)) for e in BAD_ENGINES),
    *(("channels", lambda c=c: sordino.Denoiser(48_000, c)) for c in BAD_CHANNELS),
    *(("block", lambda b=b: sordino.Denoiser(block_size=b)) for b in BAD_BLOCKS),
]


@pytest.mark.parametrize(("what", "call"), CALLS, ids=[f"{name}-{i}" for i, (name, _) in enumerate(CALLS)])
def test_bad_arguments_raise_typed_errors(what, call):
    with pytest.raises(TYPED) as caught:
        call()
    assert len(str(caught.value)) > 10, "a message that helps"


@pytest.mark.parametrize(
    "block",
    [
        np.zeros((2, 480), np.float32),
        np.zeros((480, 1), np.float32),
        np.zeros(100, np.float32),
        np.zeros(480, np.int32),
        np.zeros((1, 1, 480), np.float32),
        [0.0] * 480,
        None,
    ],
    ids=range(7),
)
def test_a_refused_block_leaves_the_stream_as_it_was(block):
    stream, other = sordino.Denoiser(block_size=480), sordino.Denoiser(block_size=480)
    for n in range(0, 4800, 480):
        if n == 1440:
            with pytest.raises((TypeError, ValueError)):
                stream.process(block)
        hop = GOOD[n : n + 480]
        assert stream.process(hop).tobytes() == other.process(hop).tobytes()


def with_value(value):
    x = GOOD.copy()
    x[1000:1100] = value
    return x


ODD = {
    "nothing": np.zeros(0, np.float32),
    "nothing in two channels": np.zeros((2, 0), np.int16),
    "one sample": GOOD[:1],
    "less than a hop": GOOD[:479],
    "a hop and a sample": GOOD[:481],
    "not a number": with_value(np.nan),
    "all not a number": np.full(4800, np.nan),
    "infinite": with_value(-np.inf),
    "beyond float32": np.full(4800, 1e300),
    "largest float32": with_value(np.finfo(np.float32).max),
    "denormal": np.full(4800, 1e-42, np.float32),
    "silence": np.zeros(4800, np.float32),
    "full scale int16": np.array([-32_768, 32_767] * 2400, np.int16),
    "read only": np.frombuffer(GOOD.tobytes(), np.float32),
    "backwards": GOOD[::-1],
    "every second": GOOD[::2],
    "Fortran order": np.asfortranarray(np.stack([GOOD, GOOD])),
    "64 channels": np.tile(GOOD[:960], (64, 1)),
    "one channel in two axes": GOOD[None],
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("rate", [48_000, 44_100, 1000, 768_000])
def test_odd_samples_are_cleaned(name, rate):
    before = ODD[name].copy()
    out = sordino.denoise(ODD[name], rate)
    assert (out.shape, out.dtype) == (before.shape, before.dtype)
    assert np.isfinite(out.astype(np.float64)).all()
    assert ODD[name].tobytes() == before.tobytes(), "the input is left alone"


def wav(rate=48_000, channels=1, bits=16, kind=1, data=b"\1\2" * 4800, size=None, align=None):
    align = max(1, channels * bits // 8) if align is None else align
    head = struct.pack("<HHIIHH", kind, channels & 0xFFFF, rate, rate * align & 0xFFFFFFFF, align & 0xFFFF, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(head)) + head
    body += b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def encoded(tmp_path_factory, suffix):
    path = tmp_path_factory.mktemp("sound") / f"good{suffix}"
    soundfile.write(path, np.tile(GOOD, 5), 48_000)
    return path.read_bytes()


HEADERS = {
    "no channels": wav(channels=0),
    "65535 channels": wav(channels=65_535),
    "100 channels": wav(channels=100, data=bytes(20_000)),
    "rate 0": wav(rate=0),
    "rate 1": wav(rate=1),
    "rate 999": wav(rate=999),
    "rate 768001": wav(rate=768_001),
    "rate 4 GHz": wav(rate=0xFFFFFFFF),
    "0 bits": wav(bits=0),
    "7 bits": wav(bits=7),
    "128 bits": wav(bits=128),
    "unknown kind": wav(kind=0x7777),
    "no samples": wav(data=b""),
    "half a frame": wav(data=b"\1"),
    "announced too long": wav(size=1_000_000),
    "announced 4 GB": wav(size=0xFFFFFFFF),
    "announced too short": wav(size=100),
    "wrong alignment": wav(align=7),
    "float of 16 bits": wav(kind=3),
    "not a number": wav(kind=3, bits=32, data=struct.pack("<f", float("nan")) * 4800),
    "infinite": wav(kind=3, bits=64, data=struct.pack("<d", float("inf")) * 4800),
    "only RIFF": b"RIFF",
    "empty": b"",
    "zeros": bytes(4096),
    "text": b"This is no sound.\n" * 99,
}


@pytest.fixture
def denoise(tmp_path, capsys, monkeypatch):
    """Runs `sordino denoise` on bytes; asserts that all ends in order and gives the exit code."""

    def call(data, suffix=".wav"):
        source, out = tmp_path / f"in{suffix}", tmp_path / "out"
        source.write_bytes(data)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        monkeypatch.setattr(sys, "argv", ["sordino", "denoise", str(source), str(out / "o.wav")])
        with pytest.raises(SystemExit) as end:
            sys.exit(cli.main() or 0)
        said = capsys.readouterr().err
        assert end.value.code in (0, 1, 3), said
        assert "Traceback" not in said
        made = [p.name for p in out.iterdir()]
        if end.value.code == 1:
            assert len(said.strip()) > 20
            assert made == []
        else:
            assert made == ["o.wav"]
            assert (end.value.code == 3) == ("truncated" in said or "damaged" in said), said
            if end.value.code == 0:
                assert soundfile.info(out / "o.wav").frames == soundfile.info(source).frames
            assert np.isfinite(soundfile.read(out / "o.wav")[0]).all()
        assert source.read_bytes() == data
        return end.value.code

    return call


@pytest.mark.parametrize("name", HEADERS)
def test_odd_headers(denoise, name):
    code = denoise(HEADERS[name])
    if name in ("announced too short", "announced 4 GB", "not a number", "infinite"):
        assert code == 0
    if name == "announced too long":
        assert code == 3
    if name in ("empty", "zeros", "text", "only RIFF", "no samples", "rate 999", "100 channels"):
        assert code == 1


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".aiff"])
@pytest.mark.parametrize("part", [0.001, 0.002, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_files(denoise, tmp_path_factory, suffix, part):
    data = encoded(tmp_path_factory, suffix)
    code = denoise(data[: int(len(data) * part)], suffix)
    assert code == 3 or (code == 1 and (part < 0.5 or suffix == ".ogg"))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".aiff"])
@pytest.mark.parametrize("seed", range(10))
def test_damaged_files(denoise, tmp_path_factory, suffix, seed):
    """Ten bytes of the first hundred or of the whole are other ones."""
    data, random = bytearray(encoded(tmp_path_factory, suffix)), np.random.default_rng(seed)
    for at in random.integers(4, len(data) if seed % 2 else 100, 10):
        data[at] = random.integers(256)
    denoise(bytes(data), suffix)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".raw", ""])
@pytest.mark.parametrize("seed", range(4))
def test_random_bytes(denoise, suffix, seed):
    assert denoise(np.random.default_rng(seed).bytes(5000), suffix) == 1


@pytest.mark.parametrize(
    "source", ["none.wav", ".", "/", "/proc/self/mem", "/dev/null", "dangling.wav", "a" * 300 + ".wav", "in\0.wav", ""]
)
def test_paths_that_cannot_be_read(tmp_path, capsys, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dangling.wav").symlink_to(tmp_path / "nowhere.wav")
    monkeypatch.setattr(sys, "argv", ["sordino", "denoise", source, "out.wav"])
    if source == "/":
        monkeypatch.setattr("sordino.files.batch._find", lambda *_: [])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert len(capsys.readouterr().err.strip()) > 15
    assert not (tmp_path / "out.wav").exists()


UNWRITABLE = ["no/o.wav", "o.mp3", "o", "/proc/o.wav", "b" * 300 + ".wav", "o\0.wav", "/dev/null"]


@pytest.mark.parametrize("target", UNWRITABLE)
def test_paths_that_cannot_be_written(tmp_path, capsys, monkeypatch, target):
    monkeypatch.chdir(tmp_path)
    soundfile.write("in.wav", GOOD, 48_000)
    monkeypatch.setattr(sys, "argv", ["sordino", "denoise", "in.wav", target])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    assert len(capsys.readouterr().err.strip()) > 10
    assert [p.name for p in tmp_path.iterdir()] == ["in.wav"]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("empty.onnx", lambda b: b""),
        ("garbage.onnx", lambda b: b"no model" * 100),
        ("empty.sordino", lambda b: b""),
        ("header.sordino", lambda b: b[:64]),
        ("short.sordino", lambda b: b[:-1]),
        ("flipped.sordino", lambda b: b[:9000] + bytes([b[9000] ^ 1]) + b[9001:]),
        ("other.sordino", lambda b: b"RIFF" + b[4:]),
    ],
)
def test_damaged_models(tmp_path, name, damage):
    path = tmp_path / name
    path.write_bytes(damage(sordino.load_weights(sordino.find_model("standard"))))
    with pytest.raises(ModelError):
        sordino.denoise(GOOD, 48_000, model=path)
