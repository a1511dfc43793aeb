"""Rooms: a number and a seed go in, impulse responses of simulated rooms come out (needs pyroomacoustics).

For training alone: the test sets have rooms of another simulator (evaluation/rooms.py).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE

from .clips import ROOM, Clip, Sound

_SMALLEST_M, _LARGEST_M = (2.2, 2.2, 2.2), (9.0, 8.0, 3.6)
_DECAY_S = (0.12, 0.8)  # time to fall by 60 dB that is asked for
_WALL_M = 0.4  # talker and microphone keep away from the walls
_NEAR_M = (0.25, 3.0)  # distance of the talker
_REFLECTIONS = 12  # as exact images; rays give what comes later
_RAYS = 3000
_KEPT_DB = -70.0  # of the energy that is still to come: the rest is cut


def _place(rng: np.random.Generator, size: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Microphone and talker: anywhere, and mostly near."""
    microphone = rng.uniform(_WALL_M, size - _WALL_M)
    towards = rng.standard_normal(3)
    towards *= np.exp(rng.uniform(*np.log(_NEAR_M))) / np.linalg.norm(towards)
    return microphone, np.clip(microphone + towards, _WALL_M, size - _WALL_M)


def _cut(response: NDArray[np.float64]) -> NDArray[np.float32]:
    """From the direct sound, scaled to 1, to where nothing is left."""
    response = response[int(np.abs(response).argmax()) :]
    left = np.cumsum(response[::-1] ** 2)[::-1]
    end = int((left > left[0] * 10 ** (_KEPT_DB / 10)).sum())
    return np.asarray(response[:end] / response[0], np.float32)


def simulate_rooms(count: int, seed: int) -> list[NDArray[np.float32]]:
    """Simulate rooms of random size, damping and places of talker and microphone.

    count    rooms
    seed     the same seed, the same rooms
    returns  impulse responses at 48 kHz, (n,) each, direct sound first and 1
    raises   ModuleNotFoundError without pyroomacoustics
    """
    import pyroomacoustics

    rng = np.random.default_rng(seed)
    pyroomacoustics.random.seed(seed)
    found: list[NDArray[np.float32]] = []
    while len(found) < count:
        size, decay = rng.uniform(_SMALLEST_M, _LARGEST_M), rng.uniform(*_DECAY_S)
        microphone, talker = _place(rng, size)
        try:
            damping, order = pyroomacoustics.inverse_sabine(decay, size)
        except ValueError:
            continue  # no wall is so absorbing: a large room cannot decay so quickly
        room = pyroomacoustics.ShoeBox(
            size,
            fs=SAMPLE_RATE,
            materials=pyroomacoustics.Material(damping),
            max_order=min(order, _REFLECTIONS),
            ray_tracing=True,
            air_absorption=True,
        )
        room.set_ray_tracing(n_rays=_RAYS)
        room.add_source(talker)
        room.add_microphone(microphone)
        room.compute_rir()
        found.append(_cut(room.rir[0][0]))
    return found


def room_sounds(count: int, seed: int) -> list[Sound]:
    """The same as clips of a cache. count, seed and ModuleNotFoundError as of simulate_rooms"""
    found = []
    for index, response in enumerate(simulate_rooms(count, seed)):
        samples = np.round(response * 32767).astype(np.int16)
        facts = Clip(f"{ROOM}-{index}", 0, len(samples), "", "simulated", SAMPLE_RATE / 2, math.nan, 0.0)
        found.append(Sound(samples, facts))
    return found
