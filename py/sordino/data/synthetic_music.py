"""Synthetic music: a number of seconds and a seed go in, short pieces for drawn instruments come out.

Four chords of a scale go round; pads, plucked figures, a melody, a bass and drums play over them, each piece with
instruments, tempo and room of its own. Nobody need enjoy it: it has the onsets, chords and decays that music has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sordino.chain.params import SAMPLE_RATE

from .clips import SYNTHETIC_PREFIX, Sound
from .synthetic_noise import CLIP_S, Signal, as_sound, play, wander, wavetable

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 6, 7, 10), (0, 1, 4, 5, 7, 8, 10))
_CHORD = (0, 2, 4)  # steps of the scale
_HIGHEST_HZ = 15000.0
_SLOTS = 16  # of a rhythm
_DRUM_CHANCE = (0.35, 0.25, 0.6)  # kick, snare, hat: in a slot


@dataclass(frozen=True)
class _Part:
    chance: float  # that a piece has it
    octave: int


_PARTS = {
    "pad": _Part(0.55, 1),
    "figure": _Part(0.5, 2),
    "melody": _Part(0.55, 2),
    "bass": _Part(0.6, 0),
    "drums": _Part(0.5, 0),
}


@dataclass(frozen=True)
class _Instrument:
    """How a note sounds."""

    tilt: float  # partial k has the amplitude k ** -tilt, times a random factor
    rough: float  # spread of that factor, natural logarithm
    attack_s: float
    decay_s: float  # to 1 / e; the high partials fall faster
    vibrato: float  # octaves
    detune: float  # octaves between two voices; 0: one voice
    seed: int


def _instrument(rng: np.random.Generator, sustained: bool) -> _Instrument:
    attack, decay = ((0.02, 0.4), (2.0, 8.0)) if sustained else ((0.001, 0.02), (0.08, 1.2))
    return _Instrument(
        tilt=rng.uniform(0.6, 2.5),
        rough=rng.uniform(0, 1.2),
        attack_s=np.exp(rng.uniform(*np.log(attack))),
        decay_s=np.exp(rng.uniform(*np.log(decay))),
        vibrato=rng.uniform(0, 0.03) if rng.random() < 0.3 else 0.0,
        detune=rng.uniform(0.001, 0.01) if rng.random() < 0.4 else 0.0,
        seed=int(rng.integers(2**31)),
    )


def _note(instrument: _Instrument, hz: float, seconds: float) -> Signal:
    samples = int(min(seconds + 3 * min(instrument.decay_s, 0.15), CLIP_S) * SAMPLE_RATE)
    rng = np.random.default_rng(instrument.seed)
    time = np.arange(samples) / SAMPLE_RATE
    partial = np.arange(1, max(2, int(min(40.0, _HIGHEST_HZ / hz))) + 1, dtype=np.float64)
    amplitudes = partial**-instrument.tilt * np.exp(rng.normal(0, instrument.rough, 40)[: len(partial)])
    bright, dull = wavetable(rng, amplitudes), wavetable(rng, amplitudes * np.exp(-partial / 2.0))
    envelope = (time / instrument.attack_s).clip(0, 1) * np.exp(-time / instrument.decay_s)
    envelope *= ((seconds - time) / 0.05 + 1).clip(0, 1) if instrument.decay_s > 1 else 1.0
    darker = np.exp(-time / (0.3 * instrument.decay_s))
    bend = 2 ** (instrument.vibrato * np.sin(2 * math.pi * 5.5 * time) * (time / 0.4).clip(0, 1))
    out = np.zeros(samples)
    for side in (-0.5, 0.5) if instrument.detune else (0.0,):
        cycles = np.cumsum(hz * 2 ** (side * instrument.detune) * bend) / SAMPLE_RATE + rng.random()
        out += darker * play(bright, cycles) + (1 - darker) * play(dull, cycles)
    return np.asarray(out * envelope, np.float64)


def _drum(rng: np.random.Generator, kind: int) -> Signal:
    """A kick, a snare or a hat."""
    decay_s = rng.uniform(*((0.08, 0.3), (0.06, 0.2), (0.02, 0.12))[kind])
    time = np.arange(int(5 * decay_s * SAMPLE_RATE)) / SAMPLE_RATE
    cycles = np.cumsum(rng.uniform(45, 70) + rng.uniform(60, 200) * np.exp(-time / 0.03)) / SAMPLE_RATE
    hiss = rng.standard_normal(len(time))
    hiss[1:] -= (0.0, 0.6, 0.98)[kind] * hiss[:-1]
    tone, noise = ((1.0, 0.02), (0.5, 0.5), (0.0, 0.6))[kind]
    return (tone * np.sin(2 * math.pi * cycles) + noise * hiss) * np.exp(-time / decay_s)


def _add(out: Signal, at_s: float, sound: Signal, gain: float) -> None:
    first = int(at_s * SAMPLE_RATE)
    length = min(len(sound), len(out) - first)
    if length > 0:
        out[first : first + length] += gain * sound[:length]


def _reverberant(rng: np.random.Generator, dry: Signal) -> Signal:
    decay_s = rng.uniform(0.05, 0.5)
    tail = rng.standard_normal(int(5 * decay_s * SAMPLE_RATE))
    tail *= np.exp(-np.arange(len(tail)) / (decay_s * SAMPLE_RATE)) / math.sqrt(decay_s * SAMPLE_RATE)
    size = 1 << (len(dry) + len(tail)).bit_length()
    wet = np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(tail, size), size)[: len(dry)]
    return dry + rng.uniform(0, 0.8) * wet


@dataclass(frozen=True)
class _Score:
    """What all parts of a piece share."""

    beat_s: float
    root: float  # as MIDI counts notes
    scale: tuple[int, ...]
    chords: tuple[int, ...]  # steps of the scale
    chord_s: float

    def hz(self, step: int) -> float:
        octave, degree = divmod(step, len(self.scale))
        return float(440 * 2 ** ((self.root + 12 * octave + self.scale[degree] - 69) / 12))

    def chord(self, at_s: float) -> int:
        return self.chords[int(at_s / self.chord_s) % len(self.chords)]


def _score(rng: np.random.Generator) -> _Score:
    beat_s, root, scale = 60 / rng.uniform(60, 170), rng.uniform(33, 45), _SCALES[int(rng.integers(len(_SCALES)))]
    return _Score(beat_s, root, scale, tuple(int(x) for x in rng.integers(0, 7, 4)), beat_s * rng.choice([2, 4]))


def _add_part(rng: np.random.Generator, out: Signal, part: str, score: _Score) -> None:
    """Let one part of _PARTS play throughout a piece."""
    sound, level = _instrument(rng, part == "pad" or rng.random() < 0.3), 10 ** (rng.uniform(-10, 4) / 20)
    step_s = {"pad": score.chord_s, "bass": score.beat_s}.get(part, score.beat_s * rng.choice([0.25, 0.5, 1]))
    pattern, kit, tune = rng.random((3, _SLOTS)), [_drum(rng, kind) for kind in range(3)], 0
    for index, at_s in enumerate(np.arange(0, CLIP_S, step_s)):
        slot, base = index % _SLOTS, score.chord(at_s) + len(score.scale) * _PARTS[part].octave
        if part == "pad":
            for interval in _CHORD:
                _add(out, at_s, _note(sound, score.hz(base + interval), score.chord_s), level / 2)
        elif part == "drums":
            for kind in range(3):
                if pattern[kind, slot] < _DRUM_CHANCE[kind]:
                    _add(out, at_s, kit[kind], level * rng.uniform(0.5, 1.0))
        elif pattern[0, slot] < 0.75:
            tune = int(np.clip(tune + rng.integers(-2, 3), -4, 8)) if part == "melody" else _CHORD[slot % 3]
            step = base + (0 if part == "bass" else tune)
            _add(out, at_s, _note(sound, score.hz(step), step_s * rng.uniform(0.6, 1.5)), level)


def _piece(rng: np.random.Generator, samples: int) -> Signal:
    """One piece, (samples,)."""
    score, out = _score(rng), np.zeros(samples)
    playing = [name for name, part in _PARTS.items() if rng.random() < part.chance]
    for part in playing or ["figure"]:
        _add_part(rng, out, part, score)
    return _reverberant(rng, out) * np.exp(0.1 * wander(rng, samples, 0.5))


def music_sounds(seconds: float, seed: int) -> list[Sound]:
    """Make pieces of CLIP_S each.

    seconds  in all
    seed     the same seed, the same pieces
    returns  clips of the category "music"
    """
    samples, count = int(CLIP_S * SAMPLE_RATE), math.ceil(seconds / CLIP_S)
    pieces = (_piece(np.random.default_rng((seed, index)), samples) for index in range(count))
    return [as_sound(f"{SYNTHETIC_PREFIX}music-{index}", "music", piece) for index, piece in enumerate(pieces)]
