"""Linked channels: one decision about the mean of all channels, the same gains on each, so the stereo image stays."""

from __future__ import annotations

import numpy as np

from . import bands, comb, gains, stft
from . import scale as scales
from .numerics import Float32
from .params import HISTORY, HOP, WINDOW
from .pipeline import Pipeline, guard


class Channel:
    """One channel that follows a pipeline, which works on the mean of the channels."""

    def __init__(self, leader: Pipeline) -> None:
        self.leader = leader
        self.samples, self.overlap, self.scale = leader.samples, leader.overlap, leader.level.scale

    def follow(self, hop: Float32) -> Float32:
        """Treat one hop as the leader has treated the mean of the same hop.

        hop      (HOP,) float32, full scale 1
        returns  (HOP,) float32, the leader's latency later
        source   C twin: sordino_follow in wasm/linked.c
        """
        leader = self.leader
        self._set_scale(leader.level.scale)
        scaled = guard(hop.astype(np.float32)) * scales.power_of_two(self.scale)
        self.samples = np.concatenate([self.samples[HOP:], scaled])
        window = self.samples[HISTORY : HISTORY + WINDOW]
        spectrum = stft.analyse(window)
        energy = bands.band_energy(*spectrum)
        comb_spectrum = stft.analyse(comb.comb(self.samples, HISTORY, leader.period, leader.model.look_ahead))
        mixed = gains.mix_comb(spectrum, comb_spectrum, leader.final_strength)
        output = gains.apply_gains(mixed, energy, leader.final_gain)
        samples, self.overlap = stft.synthesise(*output, self.overlap)
        return samples * scales.power_of_two(-self.scale)

    def _set_scale(self, scale: int) -> None:
        """Bring what is remembered to the leader's scale."""
        factor = scales.power_of_two(scale - self.scale)
        self.samples, self.overlap, self.scale = self.samples * factor, self.overlap * factor, scale


def mean(channels: list[Float32]) -> Float32:
    """Mean of the channels' hops, summed in double precision as the worklet does."""
    total = np.zeros(channels[0].shape, np.float64)
    for channel in channels:
        total = total + channel
    return (total * (1 / len(channels))).astype(np.float32)
