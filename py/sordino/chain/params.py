"""Every constant of the signal chain, once. Kernels and training read these values through generation or import."""

from __future__ import annotations

VERSION = "0.1.0"

# Framing
SAMPLE_RATE = 48_000
HOP = 480
"""Samples per hop, the unit of work (10 ms)."""
WINDOW = 2 * HOP
"""Samples per window (20 ms, 50 % overlap)."""
BINS = WINDOW // 2 + 1
"""Bins of one half spectrum, 50 Hz apart."""
FFT_RADICES = (4, 4, 5, 3, 2)
"""Factors of the complex transform of WINDOW / 2 points, in the order of the passes."""
MAX_LOOK_AHEAD = 2
"""Frames a model may wait before it decides on a frame."""

# Input guard
SAMPLE_LIMIT = 16.0
"""Larger samples are clamped; non-finite ones are taken as silence."""
SAMPLE_FLOOR = 1e-15
"""Smaller samples are taken as silence, so that no denormal number enters the chain."""

# Scale of faint and hot input, in powers of two
SCALE_FAINT = -7
"""Peaks below 2^(SCALE_FAINT - 1) (-48 dBFS) are faint: the training held no voices so quiet."""
SCALE_HOT = 1
"""Peaks from 2^SCALE_HOT on (+6 dBFS) are hot, and brought below: a burst must not take a voice after it along."""
SCALE_TARGET = -6
"""The peaks of faint input are brought to 2^-7..2^-6 (-42 to -36 dBFS)."""
SCALE_SLACK = 1
"""Steps of 6 dB by which they may leave that before the scale is changed."""
SCALE_MAX = 24
"""Largest scale: +144 dB."""
SILENT_PEAK = -128
"""Peak exponent of digital silence."""
SCALE_FALL_HOPS = 3
"""Hops (30 ms) that each step down takes: a network that hears all noise vanish at once takes the voice with it."""
SCALE_RELEASE_HOPS = 200
"""Hops (2 s) after which a peak that was not reached again counts 6 dB less."""

# Bands
BANDS = 34
BAND_TOP_HZ = 20_000
BAND_MIN_BINS = 2
ERB_SCALE = 9.265
ERB_CORNER_HZ = 228.8

# Pitch, searched at SAMPLE_RATE / DECIMATION and refined at SAMPLE_RATE
DECIMATION = 4
DECIMATION_TAPS = 48
DECIMATION_CUTOFF_HZ = 4_800
LAG_MIN = 24
"""Shortest lag in decimated samples (500 Hz)."""
LAG_MAX = 199
"""Longest lag in decimated samples (60 Hz)."""
LAGS = LAG_MAX - LAG_MIN + 1
PITCH_WINDOW = WINDOW // DECIMATION
PITCH_HISTORY = PITCH_WINDOW + LAG_MAX + 1
TRACK_REACH = 4
"""Lags that the track may move between neighbouring frames without a jump."""
TRACK_MOVE_COST = 0.02
"""Cost of each lag moved."""
TRACK_JUMP_COST = 0.4
"""Cost of leaving the track for any other lag."""
LONG_LAG_COST = 0.05
"""Cost of each octave above LAG_MIN; keeps the track off multiples of the period."""
PERIOD_MIN = DECIMATION * LAG_MIN
PERIOD_MAX = DECIMATION * (LAG_MAX + 1) - 1
REFINE = 8
"""Periods tried at the full rate around DECIMATION * lag."""
CORRELATION_FLOOR = 1e-12
"""Added to the product of two energies before a correlation is formed."""

# Comb filter
COMB_REACH = 5
"""Periods taken to each side where the look-ahead allows."""
HISTORY = COMB_REACH * (PERIOD_MAX + 1)
"""Samples kept before the window of the output frame."""

# Features and network
ENERGY_FLOOR = 1e-10
"""Added to a band energy before the logarithm (-100 dB)."""
FEATURES = 2 * BANDS + 2
PERIOD_CENTRE = 256.0
"""Period in samples that the period feature calls 0."""
FEATURE_RANGE = 4.0
"""Standard deviations that map to 1 after normalisation."""
ACTIVATION_SCALE = 63
"""Activations in -1..1 become integers in 1..127 around ACTIVATION_OFFSET."""
ACTIVATION_OFFSET = 64
WEIGHT_MAX = 127

# Gains
MIX_GAIN_MAX = 2.0
"""Largest correction that restores a band's energy after the comb spectrum was mixed in."""
MIX_FLOOR = 1e-15
ONSET_MEMORY = 0.8
"""How much of the recent mean of the voice probability stays from hop to hop (50 ms)."""
ONSET_RISE = 0.2
"""A voice probability so far above that mean begins a word."""
ONSET_SLOPE = 3.0
"""Lift per rise above that."""
ONSET_FADE = 0.2
"""How much of the lift goes from hop to hop."""
ONSET_CLOSED = 0.2
"""Gains up to here belong to bands that hold noise, and are not lifted."""
ONSET_OPEN = 0.6
"""Gains from here on are lifted in full."""
POSTFILTER_BETA = 0.02
POSTFILTER_FLOOR = 1e-15
POSTFILTER_SHARE = 3.0
"""The post-filter works in full where this times the share of the energy that is noise reaches 1."""
POSTFILTER_MEMORY = 0.98
"""How much of what that share is measured from stays from hop to hop (half a second)."""
POST_FILTER_PASSES_MAX = 2
START_GAIN = 0.3
"""Least gain in the first frame of sound, when the network knows neither the room nor the voice; then it falls,"""
START_HOPS = 100
"""within so many hops with sound, to nothing."""
CONSERVATIVE_LIMIT_DB = 15
"""Most that the preset "conservative" attenuates."""

# Resampling: Kaiser-windowed sinc, RESAMPLE_HALF samples of the lower rate to each side
RESAMPLE_HALF = 32
RESAMPLE_KAISER_BETA_HALF = 4.48
"""Stop band at -90 dB, transition band 0.089 of the lower rate around its Nyquist frequency."""
RESAMPLE_PHASES_MAX = 640
"""Exact phases for ratios up to here; between them phases are interpolated, error below -100 dB."""
RESAMPLE_SERIES = 32
"""Terms of the series of the window's Bessel function."""

# Delay of the echo: windowed spectra of microphone and far end, from DELAY_FIRST_BIN on
DELAYS = 52
"""Delays that are told apart, a hop each: 0 to 510 ms."""
DELAY_FIRST_BIN = 8
DELAY_BINS = 64
"""Bins that are compared: 400 Hz to 3.6 kHz."""
DELAY_MEMORY = 0.99
"""How much of what is known about a delay stays from hop to hop (one second)."""
DELAY_ACTIVE = 1e-3
"""The far end sounds while its power in these bins is above this part of the largest before."""
DELAY_FADE = 0.9995
"""How much of that largest power stays from hop to hop (20 s)."""
DELAY_CLEAR = 5.0
"""The first delay is believed when it scores so many times the mean of all,"""
DELAY_LEAST = 0.008
"""and at least this, of 1."""
DELAY_BETTER = 1.5
"""Another one is believed when it scores so many times what the present one does,"""
DELAY_HOPS = 10
"""in so many hops."""

# Echo: adaptive filter in the frequency domain, partitions of a hop
ECHO_PARTS = 16
"""Partitions: the filter is 160 ms long."""
ECHO_BINS = 164
"""Bins that are filtered: up to 8.15 kHz."""
ECHO_AHEAD = 1
"""Hops by which the filter begins before the delay that was found."""
ECHO_LATE = 3
"""The filter is moved when it would begin more than so many hops before it."""
ECHO_PASSES = 2
"""Updates of the filter per hop."""
ECHO_MEMORY = 0.997
"""Square of the share of the path that is taken to stay as it is from hop to hop."""
ECHO_DOUBT = 0.1
"""Variance of each coefficient before anything is known, where the microphone is as loud as the far end or louder."""
ECHO_CERTAIN = 1e-10
"""Least variance."""
ECHO_NEAR_MEMORY = 0.9
"""How much of the measured power of all that is no echo stays from hop to hop."""
ECHO_FLOOR = 1e-20
ECHO_WORSE = 1.2
"""The estimate is left out at once where the output's power would be so many times the microphone's,"""
ECHO_RETURN = 0.25
"""and comes back by this share a hop;"""
ECHO_LOST = 4.0
"""the filter begins anew when it is so many times,"""
ECHO_LOST_HOPS = 20
"""for so many hops."""
ECHO_POWER_MEMORY = 0.98
"""How much of these powers stays from hop to hop (half a second)."""
