"""Voices: the material of a test set and a speed go in, the same with every voice at that speed comes out.

A voice at another speed has another pitch and another vocal tract: deeper and larger, or higher and smaller.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import soxr

from sordino.chain.params import SAMPLE_RATE
from sordino.data.clips import Store

from .testset import Material

SPEEDS = (0.5, 2.0)
"""Slowest and fastest that is still a voice."""


def at_speed(material: Material, speed: float) -> Material:
    """Material whose speech is played at another speed.

    material  as from testset.load_material
    speed     1 leaves it as it is
    raises    ValueError outside of SPEEDS
    """
    lowest, highest = SPEEDS
    if not lowest <= speed <= highest:
        raise ValueError(f"speed {speed:g}, wanted {lowest:g} to {highest:g}")
    if speed == 1:
        return material
    speech, clips, start = [], [], 0
    for clip in material.speech.clips:
        slow = material.speech.samples[clip.start : clip.start + clip.length]
        found = soxr.resample(slow, speed * SAMPLE_RATE, SAMPLE_RATE)
        bandwidth_hz = min(clip.bandwidth_hz * speed, SAMPLE_RATE / 2)
        clips.append(replace(clip, start=start, length=len(found), bandwidth_hz=bandwidth_hz))
        speech.append(found)
        start += len(found)
    samples = np.concatenate(speech) if speech else material.speech.samples
    return replace(material, speech=Store(samples, tuple(clips)))
