"""Sound files as programs write them: containers, codecs, ways of writing; made with ffmpeg, sox, lame and opusenc."""

import functools
import shutil
import subprocess
from pathlib import Path

import numpy as np
import soundfile

from golden.signals import RATE, clip_files, read_clip
from support import unavailable

PROGRAMS = ("ffmpeg", "sox", "lame", "opusenc")
FFMPEG = ["ffmpeg", "-nostdin", "-v", "error", "-y"]
SECONDS = 2
TITLE, ARTIST = "Interview 7", "Zoë Ångström"
TAGS = ["-metadata", f"title={TITLE}", "-metadata", f"artist={ARTIST}"]


def need_programs() -> None:
    """Skips the test, or fails it where CI is set, unless the programs that write the files are there."""
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        unavailable(f"no {', '.join(missing)}; `python3 build.py test` installs them where it may")


def shell(script: str, folder: Path) -> None:
    subprocess.run(["bash", "-ec", script], cwd=folder, check=True, capture_output=True)


@functools.cache
def speech() -> np.ndarray:
    """(2 s, 2) noisy speech at 48 kHz, another recording in each channel."""
    return np.stack([read_clip(file)[RATE : (1 + SECONDS) * RATE] for file in clip_files()[:2]], axis=1)


def write_sources(folder: Path) -> None:
    """mono.wav, stereo.wav, narrow.wav (16 kHz), cover.png: what all others are made from."""
    soundfile.write(folder / "mono.wav", speech()[:, 0], RATE)
    soundfile.write(folder / "stereo.wav", speech(), RATE)
    shell("sox mono.wav -r 16000 narrow.wav", folder)
    shell("ffmpeg -v error -f lavfi -i color=red:s=600x600 -frames:v 1 cover.png", folder)


def ff(arguments: str, source: str = "mono.wav") -> str:
    return f"ffmpeg -nostdin -v error -y -i {source} {arguments}"


SEEKABLE = {
    "pcm16.wav": ff("pcm16.wav"),
    "pcm24.wav": ff("-c:a pcm_s24le pcm24.wav", "stereo.wav"),
    "pcm32.wav": ff("-c:a pcm_s32le pcm32.wav"),
    "float.wav": ff("-c:a pcm_f32le float.wav", "stereo.wav"),
    "double.wav": ff("-c:a pcm_f64le double.wav"),
    "byte.wav": ff("-c:a pcm_u8 byte.wav"),
    "alaw.wav": ff("-c:a pcm_alaw alaw.wav", "narrow.wav"),
    "ulaw.wav": ff("-c:a pcm_mulaw ulaw.wav", "stereo.wav"),
    "adpcm.wav": ff("-c:a adpcm_ms adpcm.wav"),
    "ima.wav": ff("-c:a adpcm_ima_wav ima.wav", "stereo.wav"),
    "gsm.wav": "sox narrow.wav -r 8000 -e gsm-full-rate gsm.wav",
    "inside.wav": ff("-c:a libmp3lame -f wav inside.wav"),
    "rf64.wav": ff("-rf64 always rf64.wav"),
    "extensible.wav": ff("-c:a pcm_s24le -ac 6 extensible.wav", "stereo.wav"),
    "rifx.wav": "sox mono.wav -B rifx.wav",
    "tagged.wav": ff(f"-metadata title='{TITLE}' tagged.wav"),
    "bext.wav": ff("-write_bext 1 -metadata time_reference=123456789 -metadata description=Take bext.wav"),
    "wave.w64": ff("wave.w64"),
    "float.w64": ff("-c:a pcm_f32le float.w64", "stereo.wav"),
    "sound.aiff": ff("sound.aiff", "stereo.wav"),
    "sox.aiff": "sox stereo.wav -b 24 sox.aiff",
    "float.aifc": "sox mono.wav -e floating-point -b 32 float.aifc",
    "little.aiff": ff("-c:a pcm_s16le -f aiff little.aiff"),
    "sound.au": ff("sound.au"),
    "float.au": "sox stereo.wav -e floating-point -b 32 float.au",
    "ulaw.au": "sox narrow.wav -e mu-law ulaw.au",
    "sound.caf": ff("sound.caf", "stereo.wav"),
    "float.caf": ff("-c:a pcm_f32le float.caf"),
    "alac.caf": ff("-c:a alac alac.caf"),
    "sound.flac": ff("sound.flac", "stereo.wav"),
    "deep.flac": ff("-c:a flac -sample_fmt s32 deep.flac"),
    "sox.flac": "sox mono.wav sox.flac",
    "alac.m4a": ff("-c:a alac alac.m4a", "stereo.wav"),
    "sound.m4a": ff("-c:a aac sound.m4a"),
    "fast.m4a": ff("-c:a aac -movflags +faststart fast.m4a", "stereo.wav"),
    "sound.mov": ff("-c:a pcm_s16le sound.mov"),
    "sound.aac": ff("sound.aac"),
    "cbr.mp3": "lame --quiet -b 64 mono.wav cbr.mp3",
    "vbr.mp3": "lame --quiet -V 4 stereo.wav vbr.mp3",
    "free.mp3": "lame --quiet --freeformat -b 200 mono.wav free.mp3",
    "narrow.mp3": "lame --quiet -b 32 narrow.wav narrow.mp3",
    "ffmpeg.mp3": ff("-q:a 5 ffmpeg.mp3"),
    "sound.mp2": ff("-c:a mp2 sound.mp2"),
    "vorbis.ogg": ff("-c:a libvorbis vorbis.ogg", "stereo.wav"),
    "flac.oga": ff("-c:a flac flac.oga"),
    "opusenc.opus": "opusenc --quiet stereo.wav opusenc.opus",
    "ffmpeg.opus": ff("-c:a libopus ffmpeg.opus", "narrow.wav"),
    "low.ogg": ff("-c:a libvorbis low.ogg", "narrow.wav"),
    "speex.spx": ff("-c:a libspeex -ar 16000 speex.spx"),
    "opus.webm": ff("-c:a libopus opus.webm"),
    "vorbis.webm": ff("-c:a libvorbis vorbis.webm"),
    "aac.mka": ff("-c:a aac aac.mka"),
    "flac.mka": ff("-c:a flac flac.mka", "stereo.wav"),
    "video.mp4": "ffmpeg -v error -f lavfi -i testsrc=d=2:r=10:s=64x64 -i mono.wav -c:a aac video.mp4",
    "video.mkv": "ffmpeg -v error -f lavfi -i testsrc=d=2:r=10:s=64x64 -i stereo.wav -c:a libopus video.mkv",
    "video.avi": "ffmpeg -v error -f lavfi -i testsrc=d=2:r=10:s=64x64 -i mono.wav -c:a mp3 video.avi",
    "video.ts": "ffmpeg -v error -f lavfi -i testsrc=d=2:r=10:s=64x64 -i mono.wav -c:a aac video.ts",
    "sound.wma": ff("sound.wma", "stereo.wav"),
    "sound.ac3": ff("sound.ac3", "stereo.wav"),
    "sound.wv": ff("-c:a wavpack sound.wv"),
    "sound.tta": ff("sound.tta"),
    "sound.voc": "sox narrow.wav sound.voc",
    "sound.nist": "sox narrow.wav -t sph sound.nist",
}
"""By name: the command that makes a file that its writer could go back in."""

PIPED = {
    "streamed.wav": f"{ff('-f wav -')} | cat > streamed.wav",
    "sox_streamed.wav": "cat mono.wav | sox -t wav - -t wav - gain 0 | cat > sox_streamed.wav",
    "float_streamed.wav": f"{ff('-c:a pcm_f32le -f wav -', 'stereo.wav')} | cat > float_streamed.wav",
    "inside_streamed.wav": f"{ff('-c:a libmp3lame -f wav -')} | cat > inside_streamed.wav",
    "streamed.w64": f"{ff('-f w64 -')} | cat > streamed.w64",
    "streamed.aiff": "cat mono.wav | sox -t wav - -t aiff - gain 0 2> /dev/null | cat > streamed.aiff",
    "streamed.au": f"{ff('-f au -')} | cat > streamed.au",
    "streamed.caf": f"{ff('-f caf -')} 2> /dev/null | cat > streamed.caf",
    "streamed.flac": f"{ff('-f flac -', 'stereo.wav')} | cat > streamed.flac",
    "vbr_streamed.mp3": f"{ff('-q:a 3 -f mp3 -write_xing 0 -')} | cat > vbr_streamed.mp3",
    "lame_streamed.mp3": "cat stereo.wav | lame --quiet -V 4 - - | cat > lame_streamed.mp3",
    "vorbis_streamed.ogg": f"{ff('-c:a libvorbis -f ogg -')} | cat > vorbis_streamed.ogg",
    "streamed.opus": "cat mono.wav | opusenc --quiet - - | cat > streamed.opus",
    "streamed.webm": f"{ff('-c:a libopus -f webm -')} | cat > streamed.webm",
    "live.webm": f"{ff('-c:a libopus -f webm -live 1 -')} | cat > live.webm",
    "streamed.mkv": f"{ff('-c:a aac -f matroska -', 'stereo.wav')} | cat > streamed.mkv",
    "fragments.mp4": f"{ff('-c:a aac -movflags frag_keyframe+empty_moov -f mp4 -')} | cat > fragments.mp4",
    "streamed.ts": f"{ff('-c:a aac -f mpegts -')} | cat > streamed.ts",
}
"""Written to a pipe: the header knows no length."""

TAGGED = {
    "cbr_title.mp3": ff(f"-b:a 64k -write_xing 0 -metadata title='{TITLE}' cbr_title.mp3"),
    "cbr_cover.mp3": "ffmpeg -v error -i mono.wav -i cover.png -map 0 -map 1 -b:a 64k -write_xing 0 "
    "-disposition:v attached_pic cbr_cover.mp3",
    "vbr_cover.mp3": "ffmpeg -v error -i stereo.wav -i cover.png -map 0 -map 1 -q:a 4 "
    "-disposition:v attached_pic vbr_cover.mp3",
    "old_tag.mp3": ff(f"-write_id3v1 1 -id3v2_version 0 -metadata title='{TITLE}' -write_xing 0 old_tag.mp3"),
    "cover.flac": "ffmpeg -v error -i mono.wav -i cover.png -map 0 -map 1 -disposition:v attached_pic cover.flac",
    "cover.m4a": "ffmpeg -v error -i mono.wav -i cover.png -map 0 -map 1 -c:v png "
    "-disposition:v attached_pic cover.m4a",
    "title.ogg": ff(f"-c:a libvorbis -metadata title='{TITLE}' title.ogg"),
    "title.opus": f"opusenc --quiet --title '{TITLE}' --picture cover.png mono.wav title.opus",
    "title.webm": ff(f"-c:a libopus -metadata title='{TITLE}' title.webm"),
}

JOINED = {
    "twice.ogg": ("vorbis_streamed.ogg", "vorbis.ogg", "title.ogg"),
    "other.ogg": ("vorbis.ogg", "low.ogg"),
    "twice.opus": ("opusenc.opus", "streamed.opus"),
    "same.opus": ("streamed.opus", "title.opus", "streamed.opus"),
    "twice.mp3": ("cbr.mp3", "cbr.mp3"),
    "plain.mp3": ("vbr_streamed.mp3", "vbr_streamed.mp3"),
    "twice.aac": ("sound.aac", "sound.aac"),
}
"""By name: the files that stand in it one after the other."""

ODD = {
    "unpadded.wav": ("mono.wav", lambda wav: wav[:36] + b"note\3\0\0\0abc" + wav[36:]),
    "align0.wav": ("mono.wav", lambda wav: wav[:32] + b"\0\0" + wav[34:]),
    "data_first.wav": ("mono.wav", lambda wav: wav[:12] + wav[36:] + wav[12:36]),
    "comm_last.aiff": ("little.aiff", lambda aiff: _comm_last(aiff)),
    "short.au": ("sound.au", lambda au: au[:8] + bytes((0, 0, 0, 10)) + au[12:]),
    "zeros.mp3": ("cbr.mp3", lambda mp3: mp3 + bytes(4000)),
    "tag_between.mp3": ("cbr.mp3", lambda mp3: mp3 + b"ID3\3\0\0\0\0\0\x0a" + bytes(10) + mp3),
}
"""By name: the file that is changed, and how: chunks that are unpadded or in another order, wrong sizes, tags."""

FOLLOWED = {
    "followed.wav": ("mono.wav", lambda wav: 2 * wav),
    "second_data.wav": ("mono.wav", lambda wav: wav + wav[36:]),
    "followed.aiff": ("sound.aiff", lambda aiff: 2 * aiff),
    "followed.m4a": ("sound.m4a", lambda m4a: 2 * m4a),
}
"""What stands behind such a file belongs to another one."""


def _comm_last(aiff: bytes) -> bytes:
    at = aiff.index(b"COMM")
    end = at + 8 + int.from_bytes(aiff[at + 4 : at + 8], "big")
    return aiff[:at] + aiff[end:] + aiff[at:end]


CUT_NAMES = """
pcm16.wav float.wav wave.w64 sound.aiff sound.au sound.caf sound.flac fast.m4a sound.aac cbr.mp3 vbr_streamed.mp3
vorbis.ogg opusenc.opus opus.webm live.webm aac.mka fragments.mp4 sound.wma sound.wv video.avi streamed.flac
"""
CUT = CUT_NAMES.split()
"""What half of is to be heard from; `cut_` before the name."""


def make_all(folder: Path) -> list[Path]:
    """All files, in a folder that is empty."""
    write_sources(folder)
    for name, script in {**SEEKABLE, **PIPED, **TAGGED}.items():
        shell(script, folder)
        assert (folder / name).stat().st_size > 0, name
    for name, parts in JOINED.items():
        (folder / name).write_bytes(b"".join((folder / part).read_bytes() for part in parts))
    for name, (source, change) in {**ODD, **FOLLOWED}.items():
        (folder / name).write_bytes(change((folder / source).read_bytes()))
    for name in CUT:
        data = (folder / name).read_bytes()
        (folder / f"cut_{name}").write_bytes(data[: len(data) * 3 // 5 + 1])
    return [folder / name for name in NAMES]


NAMES = [*SEEKABLE, *PIPED, *TAGGED, *JOINED, *ODD, *(f"cut_{name}" for name in CUT)]


def ffmpeg_decodes(path: Path, channels: int) -> np.ndarray:
    """(frames, channels) float32 as the ffmpeg program decodes the file, at its own rate."""
    command = [*FFMPEG, "-i", str(path), "-map", "0:a:0", "-f", "f32le", "-c:a", "pcm_f32le", "-"]
    done = subprocess.run(command, capture_output=True, check=False)
    return np.frombuffer(done.stdout, "<f4").reshape(-1, channels)
