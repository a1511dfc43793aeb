"""Rooms: a random generator goes in, the impulse response of a shoebox room comes out."""

# Why not pyroomacoustics: it makes the rooms of the training (data/simulated_rooms.py), and a test must not sound like
# them. Here walls invert the pressure and every image is counted, without rays; and the seeded sets depend on this file
# alone, whose fingerprint is in their names, so that no new version of a library changes them.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sordino.chain.params import SAMPLE_RATE

SOUND_SPEED = 343.0  # m/s
EARLY_S = 0.05
"""Reflections that arrive this long after the direct sound help the listener and belong to the target."""
FADE_S = 0.005
_SMALLEST_M = np.array([3.0, 3.0, 2.4])
_LARGEST_M = np.array([8.0, 6.0, 3.4])
_WALL_M = 0.6  # nobody sits nearer to a wall
_DECAY_S = (0.2, 0.6)
Place = NDArray[np.float64]
_DISTANCE_M = (0.5, 2.0)
_AUDIBLE = 0.75  # share of the decay time that is simulated: 45 dB of the 60


def shoebox(size: Place, source: Place, microphone: Place, decay_s: float) -> NDArray[np.float32]:
    """Impulse response of a rectangular room by the image method.

    size        (3,) metres
    source      (3,) metres from a corner
    microphone  (3,) likewise
    decay_s     time in which the sound falls by 60 dB
    returns     (n,) direct sound first, scaled to 1 there
    source      Allen and Berkley 1979; walls invert the pressure, so that no low rumble builds up (Lehmann and
                Johansson 2008); absorption by Eyring
    """
    volume, walls = size.prod(), 2 * (size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    reflection = -np.exp(-0.5 * 0.161 * volume / (walls * decay_s))
    reach = SOUND_SPEED * decay_s * _AUDIBLE
    squares, counts = [], []
    for axis in range(3):
        n = np.arange(-int(reach / (2 * size[axis])) - 1, int(reach / (2 * size[axis])) + 2)
        same = 2 * n * size[axis] + source[axis] - microphone[axis]
        mirrored = 2 * n * size[axis] - source[axis] - microphone[axis]
        squares.append(np.concatenate([same, mirrored]) ** 2)
        counts.append(np.concatenate([np.abs(2 * n), np.abs(2 * n - 1)]))
    distance = np.sqrt(squares[0][:, None, None] + squares[1][:, None] + squares[2])
    heard = distance < reach
    order = (counts[0][:, None, None] + counts[1][:, None] + counts[2])[heard]
    distance = distance[heard]
    delay = np.round((distance - distance.min()) / SOUND_SPEED * SAMPLE_RATE).astype(int)
    response = np.bincount(delay, reflection**order / distance)
    return np.asarray(response / response[0], np.float32)


def draw_room(rng: np.random.Generator) -> tuple[NDArray[np.float32], float]:
    """A random living room or office with a talker half a metre to two metres away; its response and decay time."""
    size = rng.uniform(_SMALLEST_M, _LARGEST_M)
    decay_s = float(rng.uniform(*_DECAY_S))
    microphone = rng.uniform(_WALL_M, size - _WALL_M)
    while True:
        source = rng.uniform(_WALL_M, size - _WALL_M)
        if _DISTANCE_M[0] <= np.linalg.norm(source - microphone) <= _DISTANCE_M[1]:
            return shoebox(size, source, microphone, decay_s), decay_s


def early_part(response: NDArray[np.float32]) -> NDArray[np.float32]:
    """The direct sound and the reflections of the first EARLY_S, faded out; the same length."""
    last, fade = int(EARLY_S * SAMPLE_RATE), int(FADE_S * SAMPLE_RATE)
    position = np.arange(len(response))
    return (response * np.clip((last - position) / fade, 0, 1)).astype(np.float32)
