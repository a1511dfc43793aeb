"""What comes out keeps what was there: floats, bits, loudspeakers, tags, time reference; nothing half-made stays."""

import contextlib
import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from golden.signals import RATE
from sordino import cli
from sordino.chain.records import Settings
from sordino.files.audio import Treatment, TruncatedError, denoise_file
from sordino.files.reading import open_sound
from sound_files import need_programs, shell, speech, write_sources

UNCHANGED = Treatment(model="tiny", settings=Settings(0, 1.0))
SORDINO = Path(sys.executable).parent / "sordino"
LAYOUTS = {"quad": 0x33, "5.1": 0x3F, "5.1(side)": 0x60F, "7.1": 0x63F}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    need_programs()
    made = tmp_path_factory.mktemp("sources")
    write_sources(made)
    return made


def through(source, target):
    denoise_file(source, target, UNCHANGED, overwrite=True)
    return target


@pytest.mark.parametrize(("subtype", "dtype"), [("FLOAT", "float32"), ("DOUBLE", "float64")])
@pytest.mark.parametrize("container", ["WAV", "AIFF", "AU", "CAF", "W64", "RF64"])
def test_floats_stay_floats_beyond_full_scale(tmp_path, subtype, dtype, container):
    loud = 3.5 * speech()[:RATE] / np.abs(speech()[:RATE]).max()
    soundfile.write(tmp_path / "in.x", loud, RATE, subtype=subtype, format=container)
    target = through(tmp_path / "in.x", tmp_path / "out.wav")
    assert soundfile.info(target).subtype == subtype
    got = soundfile.read(target, dtype=dtype)[0]
    assert np.abs(got).max() > 3.4
    assert np.abs(got - loud).max() < 1e-5


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32"])
@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_bits_stay(tmp_path, subtype, suffix):
    soundfile.write(tmp_path / "in.wav", speech()[:RATE], RATE, subtype=subtype)
    target = through(tmp_path / "in.wav", tmp_path / f"out.{suffix}")
    assert soundfile.info(target).subtype == ("PCM_24" if (subtype, suffix) == ("PCM_32", "flac") else subtype)
    wanted, got = (soundfile.read(path)[0] for path in (tmp_path / "in.wav", target))
    assert np.abs(got - wanted).max() <= (0 if subtype == "PCM_16" else 2**-22)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("codec", ["pcm_s16le -f wav", "pcm_f32le -f wav", "flac -f flac", "aac -f ipod"])
def test_loudspeakers_stay(folder, tmp_path, layout, codec):
    if codec.startswith("aac") and layout not in ("5.1", "7.1"):
        pytest.skip("AAC has no name for this layout")
    shell(f"ffmpeg -v error -y -i mono.wav -t 0.5 -af 'aformat=channel_layouts={layout}' -c:a {codec} in.x", folder)
    for suffix in ("wav", "flac"):
        through(folder / "in.x", tmp_path / f"out.{suffix}")
        with av.open(str(tmp_path / f"out.{suffix}")) as made, av.open(str(folder / "in.x")) as source:
            assert made.streams.audio[0].layout.name == source.streams.audio[0].layout.name
    head = (tmp_path / "out.wav").read_bytes()[:60]
    assert struct.unpack("<H", head[20:22])[0] == 0xFFFE
    if not codec.startswith("aac"):
        assert struct.unpack("<I", head[40:44])[0] in (LAYOUTS[layout], 0x3F, 0x60F)


def tags(path):
    with av.open(str(path)) as file:
        found = {**file.metadata, **file.streams.audio[0].metadata}
    return {name.lower(): text for name, text in found.items()}


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "opus", "m4a", "webm"])
def test_tags_stay(folder, tmp_path, suffix):
    given = {"title": "Interview 7", "artist": "Zoë Ångström", "comment": "second take"}
    words = " ".join(f"-metadata {name}='{text}'" for name, text in given.items())
    shell(f"ffmpeg -v error -y -i mono.wav {words} tagged.{suffix}", folder)
    for target in ("out.wav", "out.flac", "out.ogg"):
        found = tags(through(folder / f"tagged.{suffix}", tmp_path / target))
        assert {name: found.get(name) for name in given} == given, target


def test_the_time_of_a_broadcast_file_stays(folder, tmp_path):
    words = (
        "-write_bext 1 -metadata time_reference=158760000 -metadata description='Scene 4' -metadata originator=Mixer"
    )
    shell(f"ffmpeg -v error -y -i mono.wav {words} -metadata origination_date=2024-05-01 bext.wav", folder)
    found = tags(through(folder / "bext.wav", tmp_path / "a.wav"))
    assert found["time_reference"] == "158760000"
    assert found == {name: words for name, words in tags(folder / "bext.wav").items() if name != "encoder"}
    assert b"Scene 4" in (tmp_path / "a.wav").read_bytes()
    assert tags(through(folder / "bext.wav", tmp_path / "a.flac"))["time_reference"] == "158760000"
    assert tags(through(tmp_path / "a.flac", tmp_path / "b.wav"))["time_reference"] == "158760000"


def test_cue_points_stay(tmp_path):
    soundfile.write(tmp_path / "in.wav", speech()[:RATE], RATE)
    cue = b"cue " + struct.pack("<IIIIIIII", 28, 1, 1, 4800, 0x61746164, 0, 0, 4800)
    data = (tmp_path / "in.wav").read_bytes() + cue
    (tmp_path / "in.wav").write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    assert cue in through(tmp_path / "in.wav", tmp_path / "out.wav").read_bytes()


def pipe(data, *arguments):
    return subprocess.run(
        [SORDINO, "denoise", "-", "-", "--model", "tiny", *arguments], input=data, capture_output=True
    )


@pytest.mark.parametrize("form", ["mp3 -write_xing 0 -id3v2_version 0", "adts"])
def test_coded_sound_without_a_header_on_stdin_is_no_raw_sound(folder, form):
    command = f"ffmpeg -v error -i {folder}/narrow.wav -f {form} -"
    data = subprocess.run(["bash", "-c", command], capture_output=True, check=True).stdout
    done = pipe(data)
    assert (done.returncode, done.stdout[:4]) == (0, b"RIFF")
    got, rate = soundfile.read(io.BytesIO(done.stdout))
    assert (rate, abs(got.shape[0] - soundfile.info(folder / "narrow.wav").frames) < 4096) == (16_000, True)


@pytest.mark.parametrize("kind", ["known", "endless", "float", "flac", "cut"])
def test_a_sound_file_on_stdin_is_no_raw_sound(folder, tmp_path, kind):
    if kind in ("known", "cut"):
        data = (folder / "narrow.wav").read_bytes()
    else:
        form = {"endless": "-f wav", "float": "-c:a pcm_f32le -f wav", "flac": "-f flac"}[kind]
        command = f"ffmpeg -v error -i {folder}/narrow.wav {form} -"
        data = subprocess.run(["bash", "-c", command], capture_output=True, check=True).stdout
    done = pipe(data[:60_000] if kind == "cut" else data)
    assert (done.returncode, b"truncated" in done.stderr) == ((3, True) if kind == "cut" else (0, False))
    (tmp_path / "out.wav").write_bytes(done.stdout)
    denoise_file(folder / "narrow.wav", tmp_path / "whole.wav", Treatment(model="tiny"))
    got, rate = soundfile.read(tmp_path / "out.wav")
    wanted = soundfile.read(tmp_path / "whole.wav")[0]
    assert rate == 16_000
    assert got.shape[0] == (wanted.shape[0] if kind != "cut" else (60_000 - 44) // 2)
    assert np.abs(got - wanted[: got.shape[0]]).max() <= (0 if kind not in ("float", "cut") else 1)


def test_names_of_every_kind(folder, tmp_path):
    source = os.fsencode(tmp_path) + b"/in"
    os.mkdir(source)
    data = (folder / "narrow.wav").read_bytes()
    names = [b"caf\xe9.wav", b"two\nlines.wav", b"a b.wav", b"-dash.wav", b"[x].wav", "日本.wav".encode(), b"n" * 251]
    for name in names:
        with open(source + b"/" + name, "wb") as file:
            file.write(data)
    done = subprocess.run([SORDINO, "denoise", source, os.fsencode(tmp_path) + b"/out"], capture_output=True)
    assert done.returncode == 0, done.stderr
    assert len(os.listdir(os.fsencode(tmp_path) + b"/out")) == len(names)
    for name in names[:2]:
        target = os.fsencode(tmp_path) + b"/single_" + name
        done = subprocess.run([SORDINO, "denoise", source + b"/" + name, target], capture_output=True)
        assert (done.returncode, os.path.exists(target)) == (0, True), done.stderr


def test_what_is_left_out_of_a_folder_is_named(folder, tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    shell(f"ffmpeg -v error -i mono.wav {source}/memo.m4a && cp narrow.wav {source}/no_suffix", folder)
    shell(f"ffmpeg -v error -i mono.wav -c:a libopus {source}/call.webm", folder)
    (source / "broken.mp3").write_bytes(b"nothing" * 100)
    (source / "nowhere.wav").symlink_to(source / "gone.wav")
    (source / "notes.txt").write_text("words")
    (source / "half\n.wav").write_bytes((folder / "narrow.wav").read_bytes()[:9000])
    done = subprocess.run([SORDINO, "denoise", source, tmp_path / "out", "--json"], capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert {k: told[k] for k in ("done", "failed", "cut")} == {"done": 3, "failed": 1, "cut": 1}
    assert [Path(left["source"]).name for left in told["left_out"]] == ["nowhere.wav"]
    for name in ("broken.mp3", "nowhere.wav", "notes.txt", "half\\n.wav"):
        assert name in done.stderr, name
    wanted = ["call.wav", "half\n.wav", "memo.wav", "no_suffix.wav"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == wanted


def run(*arguments):
    """`sordino denoise --json` in this process: exit code, what it says as JSON, what it says on stderr."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["sordino", "denoise", *map(str, arguments), "--json"]
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main() or 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = before
    return code, json.loads(out.getvalue()), err.getvalue()


def test_resume_makes_anew_what_was_made_otherwise(folder, tmp_path):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    data = (folder / "narrow.wav").read_bytes()
    for name in "ab":
        (source / f"{name}.wav").write_bytes(data)
    assert run(source, out)[0] == 0
    standard = (out / "a.wav").read_bytes()
    for options in (["--model", "tiny"], ["--attenuation-limit-db", "6"], []):
        code, told, _ = run(source, out, "--resume", *options)
        assert (code, told["done"], told["skipped"]) == (0, 2, 0), options
        assert ((out / "a.wav").read_bytes() == standard) == (not options)
    assert run(source, out, "--resume", "--engine", "wasm")[1]["skipped"] == 2
    (source / "b.wav").write_bytes(data[:44] + data[44:][::-1])  # as long as before
    assert (run(source, out, "--resume")[1]["done"], run(source, out, "--resume")[1]["skipped"]) == (1, 2)
    (out / "a.wav").write_bytes(data)
    code, told, said = run(source, out, "--resume")
    assert (code, told["failed"]) == (3, 1) and "changed since" in said
    assert (out / "a.wav").read_bytes() == data, "what somebody else made is left alone"


def test_resume_remembers_that_a_source_was_cut(folder, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.wav").write_bytes((folder / "narrow.wav").read_bytes()[:20_000])
    assert run(tmp_path / "in", tmp_path / "out")[0] == 3
    code, told, said = run(tmp_path / "in", tmp_path / "out", "--resume")
    assert (code, told["cut"], "truncated" in said) == (3, 1, True)


def test_resume_where_the_file_system_keeps_no_notes(folder, tmp_path, monkeypatch):
    from sordino.files import provenance

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delattr(os, "setxattr")
    monkeypatch.delattr(os, "getxattr")
    target = tmp_path / "out.wav"
    target.write_bytes(b"result")
    provenance.note(target, (1, 2), "settings", None)
    found = provenance.recall(target)
    assert (found.source, found.settings) == ((1, 2), "settings")
    assert "out" not in "".join(str(path.name) for path in (tmp_path / "state").rglob("*.json"))
    target.write_bytes(b"another")
    assert provenance.recall(target) is None


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_run_leaves_no_half_result(tmp_path, how):
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    soundfile.write(source / "a.wav", np.tile(speech(), (60, 1)), RATE)
    process = subprocess.Popen([SORDINO, "denoise", source, out], stderr=subprocess.PIPE)
    while not list(out.glob(".sordino-*")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(how)
    process.communicate()
    assert process.returncode != 0
    assert not list(out.glob("*.wav"))
    if how == signal.SIGTERM:
        assert not list(out.iterdir())
    assert run(source, out, "--resume", "--model", "tiny")[0] == 0
    assert [path.name for path in out.iterdir()] == ["a.wav"]


def test_memory_stays_flat(tmp_path):
    """Peak memory of a quarter of an hour is that of two minutes, for plain and for coded sound."""
    code = """
import resource, sys
from pathlib import Path
from sordino.files.reading import open_sound
from sordino.files.wav_file import WavWriter
with open(sys.argv[2], "wb+") as out:
    sound = open_sound(Path(sys.argv[1]))
    writer = WavWriter(out, sound.format)
    for block in sound.blocks():
        writer.write(block)
    writer.close()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    peaks = {}
    for suffix in ("wav", "flac"):
        for minutes in (2, 15):
            path = tmp_path / f"{minutes}.{suffix}"
            with soundfile.SoundFile(path, "w", 16_000, 1, "PCM_16") as file:
                for _ in range(minutes):
                    file.write(np.resize(speech()[:, 0], 60 * 16_000))
            done = subprocess.run([sys.executable, "-c", code, path, tmp_path / "o"], capture_output=True, text=True)
            peaks[suffix, minutes] = int(done.stdout)
    for suffix in ("wav", "flac"):
        assert peaks[suffix, 15] < peaks[suffix, 2] + 10_000, peaks


def test_more_than_four_gigabytes(tmp_path, monkeypatch):
    """The sizes get 64 bits; the limit is lowered here, for such a file takes minutes."""
    from sordino.files import wav_file

    monkeypatch.setattr(wav_file, "LARGEST_32", 100_000)
    monkeypatch.setattr(wav_file, "MOVED_AT_ONCE", 30_000)
    soundfile.write(tmp_path / "in.wav", speech(), RATE)
    target = through(tmp_path / "in.wav", tmp_path / "out.wav")
    assert target.read_bytes()[:4] == b"RF64"
    wanted, got = (soundfile.read(path)[0] for path in (tmp_path / "in.wav", target))
    assert np.array_equal(wanted, got)


def test_sizes_that_wrapped_around(tmp_path):
    """A writer without RF64 leaves its size modulo 4 GB."""
    head = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    with (tmp_path / "in.wav").open("wb") as file:
        file.write(head + b"data" + struct.pack("<I", 96_000))
        file.truncate(44 + 96_000 + 2**32)
    sound = open_sound(tmp_path / "in.wav")
    assert sound.size == 96_000 + 2**32
    sound.close()


def test_progress_ends_at_its_end_whatever_the_header_says(folder, tmp_path):
    shell("ffmpeg -v error -y -i mono.wav -q:a 3 -f mp3 -write_xing 0 - | cat > vbr.mp3", folder)
    seen = []
    denoise_file(folder / "vbr.mp3", tmp_path / "o.wav", UNCHANGED, lambda done, total: seen.append((done, total)))
    assert all(done < total for done, total in seen[:-1])
    assert seen[-1][0] == seen[-1][1] == soundfile.info(tmp_path / "o.wav").frames


def test_an_interface_call_says_what_was_cut(folder, tmp_path):
    (tmp_path / "in.wav").write_bytes((folder / "narrow.wav").read_bytes()[:20_000])
    with pytest.raises(TruncatedError, match="truncated"):
        denoise_file(tmp_path / "in.wav", tmp_path / "out.wav")
    assert soundfile.info(tmp_path / "out.wav").frames == (20_000 - 44) // 2
