"""Write results with the source's tags: WAV by our own writer, FLAC through FFmpeg, Ogg Vorbis through libsndfile."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile

from sordino.chain.numerics import Float32

from .coded_format import LAYOUT_MASKS
from .sound import AudioError, Format
from .wav_file import WavWriter, bext_tags

OUTPUT_FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}
FLAC_CHANNELS = 8
FLAC_BLOCK = 1 << 16
COMMON_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
OGG_TAGS = {"title": "title", "artist": "artist", "album": "album", "date": "date", "comment": "comment"}
OGG_TAGS |= {"genre": "genre", "copyright": "copyright", "track": "tracknumber"}


class Writer(Protocol):
    """Takes (channels, n) float32."""

    def write(self, samples: Float32) -> None:
        """Append samples. Raises what the library raises."""

    def close(self) -> None:
        """Complete the file."""

    def abandon(self) -> None:
        """Let go of it; nobody will read it."""


class FlacWriter:
    """FLAC of 16 or 24 bits, with any tags and the loudspeakers."""

    def __init__(self, out: Any, form: Format) -> None:
        import av

        self.av, self.deep = av, form.subtype != "PCM_16"
        names = {mask: name for name, mask in LAYOUT_MASKS.items()}
        self.layout = names.get(form.mask or 0, COMMON_LAYOUTS[form.channels])
        if av.AudioLayout(self.layout).nb_channels != form.channels:
            self.layout = COMMON_LAYOUTS[form.channels]
        self.rate, self.done = form.rate, 0
        self.container = av.open(out, mode="w", format="flac")
        self.container.metadata.update(form.tags)
        for name, content in form.chunks:
            if name == b"bext":
                self.container.metadata.update(bext_tags(content))
        self.stream = self.container.add_stream("flac", rate=form.rate)
        self.stream.layout, self.stream.format = self.layout, "s32" if self.deep else "s16"

    def write(self, samples: Float32) -> None:
        bits, dtype = (24, np.int32) if self.deep else (16, np.int16)
        top = 2.0 ** (bits - 1)
        exact = np.clip(np.floor(samples.T.astype(np.float64) * top + 0.5), -top, top - 1)
        whole = (exact * (256 if self.deep else 1)).astype(dtype)
        for at in range(0, whole.shape[0], FLAC_BLOCK):
            part = np.ascontiguousarray(whole[at : at + FLAC_BLOCK]).reshape(1, -1)
            frame = self.av.AudioFrame.from_ndarray(part, format="s32" if self.deep else "s16", layout=self.layout)
            frame.sample_rate, frame.pts = self.rate, self.done
            self.done += frame.samples
            self.container.mux(self.stream.encode(frame))

    def close(self) -> None:
        self.container.mux(self.stream.encode(None))
        self.container.close()

    def abandon(self) -> None:
        with contextlib.suppress(self.av.FFmpegError, OSError, ValueError):
            self.container.close()


class OggWriter:
    """Ogg Vorbis with the usual tags."""

    def __init__(self, out: Any, form: Format) -> None:
        self.sound = soundfile.SoundFile(out, "w", form.rate, form.channels, "VORBIS", format="OGG")
        for name, attribute in OGG_TAGS.items():
            if name in form.tags:
                setattr(self.sound, attribute, form.tags[name])

    def write(self, samples: Float32) -> None:
        self.sound.write(samples.T)

    def close(self) -> None:
        self.sound.close()

    abandon = close


def _ffmpeg_errors() -> tuple[type[Exception], ...]:
    """What PyAV raises, where it has been used."""
    return (sys.modules["av"].FFmpegError,) if "av" in sys.modules else ()


@contextmanager
def open_writer(path: Path, container: str, form: Format) -> Iterator[Writer]:
    """A new file; complete when the context ends well. Raises AudioError for what it cannot hold, OSError."""
    what = f"{form.channels} channels at {form.rate} Hz in {container} to {path.parent}"
    if container == "FLAC" and form.channels > FLAC_CHANNELS:
        raise AudioError(f"cannot write {what}: it has at most {FLAC_CHANNELS}")
    with path.open("wb+") as out:
        try:
            writer: Writer = {"WAV": WavWriter, "FLAC": FlacWriter, "OGG": OggWriter}[container](out, form)
            try:
                yield writer
            except BaseException:
                writer.abandon()
                raise
            writer.close()
        except soundfile.LibsndfileError as error:
            raise AudioError(f"cannot write {what} ({error.error_string})") from error
        except _ffmpeg_errors() as error:
            raise AudioError(f"cannot write {what} ({error})") from error
        out.flush()
        os.fsync(out.fileno())


def for_container(form: Format, container: str) -> Format:
    """What of a format the container can hold."""
    if container == "FLAC" and form.subtype in ("PCM_32", "FLOAT", "DOUBLE"):
        return replace(form, subtype="PCM_24")
    return form
