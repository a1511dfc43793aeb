"""Recipe: the probabilities and ranges of the mixtures, as `[mixing]` of a configuration sets them."""

from __future__ import annotations

from dataclasses import dataclass

from sordino.chain.params import HOP


@dataclass(frozen=True)
class Recipe:
    """Probabilities and ranges of the mixtures."""

    frames: int = 200  # hops per signal
    snr_mean_db: float = 9.0
    snr_spread_db: float = 9.0
    snr_range_db: tuple[float, float] = (-5.0, 35.0)
    snr_even: float = 0.0  # share whose ratio is drawn evenly over the range
    level_range_db: tuple[float, float] = (-52.0, -14.0)
    only_noise: float = 0.04
    only_speech: float = 0.05
    second_noise: float = 0.3
    music: float = 0.08
    babble: float = 0.07
    white: float = 0.06
    steady: float = 0.0  # of recorded noises: one clip over and over, without a pause
    impulsive: float = 0.0  # keys, clicks and knocks as the only noise
    synthetic: float = 0.0  # of noise and music: made, not recorded
    coded: float = 0.0  # voice and noise as Opus leaves them at a low rate
    lost_packets: float = 0.0
    muted: float = 0.0  # nothing arrives for a while
    moving_gain: float = 0.0
    reverberant: float = 0.35
    recorded_response: float = 0.2
    simulated_response: float = 0.0  # of the reverberant ones
    low_pass: float = 0.12
    high_pass: float = 0.2
    overdriven: float = 0.03
    other_speed: float = 0.0
    speed_range: tuple[float, float] = (0.87, 1.15)
    other_noise_speed: float = 0.0
    noise_speed_range: tuple[float, float] = (0.6, 1.7)
    late_start: float = 0.0  # chance that the voice starts late
    late_start_s: tuple[float, float] = (0.1, 1.2)
    speech_curve_db: float = 3.0
    noise_curve_db: float = 4.0

    def speech_samples(self) -> int:
        """Samples of speech to lay for one signal: more where it may be played faster."""
        return self._samples(self.other_speed, self.speed_range)

    def noise_samples(self) -> int:
        """The same for noise and music."""
        return self._samples(self.other_noise_speed, self.noise_speed_range)

    def _samples(self, chance: float, speeds: tuple[float, float]) -> int:
        samples = self.frames * HOP
        return int(samples * max(1, speeds[1])) + 2 if chance else samples
