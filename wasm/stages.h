/* The stages of the chain, in the order in which pipeline.c calls them. Each is the twin of a Python file of its name.
 *
 * Outputs stand before inputs; sizes in brackets; nothing overlaps unless said; nothing allocates or fails.
 */
#ifndef SORDINO_STAGES_H
#define SORDINO_STAGES_H

#include <stdint.h>

#include "gen/params.h"

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default) /* the tests call each by its name, in the extension too */

/* delay.c */

#define SORDINO_DELAY_UNKNOWN (-1)

/* What finds the delay of the echo: core/state.h. */
typedef struct sordino_delay sordino_delay;

/* Bytes of a sordino_delay. */
uint32_t sordino_delay_bytes(void);

/* As before the first hop. */
void sordino_reset_delay(sordino_delay *delay);

/* Hear one hop of both and tell the delay in hops, or SORDINO_DELAY_UNKNOWN. near, far [HOP]. Reference: delay.find_delay. */
int32_t sordino_find_delay(sordino_delay *delay, const float *near, const float *far);

/* echo.c: as in sordino.h. Reference: echo.cancel. */

typedef struct sordino_echo sordino_echo;
uint32_t sordino_echo_bytes(void);
void sordino_reset_echo(sordino_echo *echo);
void sordino_cancel(float *out, sordino_echo *echo, const float *near, const float *far);

/* scale.c */

/* How loud a stream is, and what its samples are multiplied by. Reference: scale.Level. */
typedef struct {
    int32_t peak;  /* exponent of the loudest recent sample, which lies below 2^peak */
    int32_t age;   /* hops since the peak was reached or last lowered */
    int32_t scale; /* the samples are multiplied by 2^scale */
    int32_t wait;  /* hops until the scale may fall by another step */
} sordino_level;

/* As before the first sound. */
void sordino_reset_level(sordino_level *level);

/* Choose the scale of one more hop. level in/out; x [HOP] samples that have passed the guard. Reference: scale.follow. */
void sordino_follow_level(sordino_level *level, const float *x);

/* 2^exponent, exactly; exponent -126..127. Reference: scale.power_of_two. */
float sordino_power_of_two(int32_t exponent);

/* x [n] in/out times a factor. */
void sordino_multiply(float *x, uint32_t n, float factor);

/* stft.c */

/* Spectrum of one frame. re, im [PADDED_BINS], the padding is 0; x [WINDOW] samples. Reference: stft.analyse. */
void sordino_analyse(float *re, float *im, const float *x);

/* bands.c */

/* Sum a quantity per bin into bands. out [PADDED_BANDS], the padding is 0; x [PADDED_BINS]. Reference: bands.band_sum. */
void sordino_band_sum(float *out, const float *x);

/* Power per band. out [PADDED_BANDS]; re, im [PADDED_BINS] with zero padding. Reference: bands.band_energy. */
void sordino_band_energy(float *out, const float *re, const float *im);

/* Real part of conj(A) B per band. out [PADDED_BANDS]; the spectra [PADDED_BINS]. Reference: bands.band_cross. */
void sordino_band_cross(float *out, const float *a_re, const float *a_im, const float *b_re, const float *b_im);

/* Interpolate bands to bins. out [PADDED_BINS], the padding is 0; x [BANDS]. Reference: bands.to_bins. */
void sordino_to_bins(float *out, const float *x);

/* pitch.c */

/* Low-pass and keep every fourth sample. out [HOP / DECIMATION]; x [HOP + DECIMATION_TAPS - DECIMATION], newest last.
 * Reference: pitch.decimate. */
void sordino_decimate(float *out, const float *x);

/* Normalised correlation at every lag, longest first. out [LAGS] in -1..1; x [PITCH_HISTORY]. Reference: pitch.correlate. */
void sordino_correlate(float *out, const float *x);

/* One Viterbi step. score [LAGS] in/out; origin [LAGS]; correlation [LAGS]. Reference: pitch.track. */
void sordino_track(float *score, uint8_t *origin, const float *correlation);

/* Lag on the best contour, `frames` before the newest; origins [frames][LAGS], newest first. Reference: pitch.trace_back. */
int32_t sordino_trace_back(const float *score, const uint8_t *origins, int32_t frames);

/* Period in samples near DECIMATION * lag. correlation [1] in 0..1; frame [WINDOW] with PERIOD_MAX samples before it.
 * Reference: pitch.refine. */
int32_t sordino_refine(float *correlation, const float *frame, int32_t lag);

/* comb.c */

/* Comb-filtered frame. out [WINDOW]; frame [WINDOW] with HISTORY samples before it and look_ahead hops after it.
 * Reference: comb.comb. */
void sordino_comb(float *out, const float *frame, int32_t period, int32_t look_ahead);

/* features.c */

/* Coherence per band in -1..1. out, all [PADDED_BANDS]. Reference: features.coherence. */
void sordino_coherence(float *out, const float *energy_a, const float *energy_b, const float *cross);

/* Features before normalisation. out [PADDED_FEATURES], the padding is 0. Reference: features.collect. */
void sordino_features(float *out, const float *newest_energy, const float *coherence, int32_t period, float correlation);

/* Normalised features, clipped to -1..1. out, all [PADDED_FEATURES]. Reference: features.normalise. */
void sordino_normalise(float *out, const float *features, const float *offset, const float *factor);

/* nn/network.c and nn/gen/network_*.c: see nn/network.h */

/* onset.c */

/* How suddenly the voice has come, 0..1. memory [2] in/out, zeros at first; voice 0..1. Reference: onset.onset. */
float sordino_onset(float *memory, float voice);

/* Gains of a word that begins. out, gain [PADDED_BANDS]; out may be gain; lift 0..1. Reference: onset.lift_gains. */
void sordino_lift_gains(float *out, const float *gain, float lift);

/* postfilter.c */

/* Strength that the post-filter needs, 0..1. memory [2] in/out, zeros at first; gain, energy [PADDED_BANDS] with zero
 * padding. Reference: postfilter.noise_share. */
float sordino_noise_share(float *memory, const float *gain, const float *energy);

/* Sharpened gains. out, gain, energy [PADDED_BANDS] with zero padding; out may be gain; strength 0..1.
 * Reference: postfilter.postfilter. */
void sordino_postfilter(float *out, const float *gain, const float *energy, float strength);

/* start.c */

/* Hops with sound, up to START_HOPS: one more where energy [BANDS] is not all 0. Reference: start.count_sound. */
int32_t sordino_count_sound(int32_t heard, const float *energy);

/* Raise low gains [BANDS] in/out near the start; heard 0..START_HOPS. Reference: start.hold_back. */
void sordino_hold_back(float *gain, int32_t heard);

/* gains.c */

/* Keep the gains within the attenuation limit, and hold the comb filter back by as much. gain, strength [PADDED_BANDS]
 * in/out; floor_gain 0 (no limit) to 1 (all stays as it is). Reference: gains.limit_gains. */
void sordino_limit_gains(float *gain, float *strength, float floor_gain);

/* Move a spectrum towards its comb-filtered copy. re, im [PADDED_BINS] in/out; comb_re, comb_im [PADDED_BINS];
 * strength [BANDS]. Reference: gains.mix_comb. */
void sordino_mix_comb(float *re, float *im, const float *comb_re, const float *comb_im, const float *strength);

/* Restore the bands' energy and apply the gains. re, im [PADDED_BINS] in/out; energy, gain [PADDED_BANDS].
 * Reference: gains.apply_gains. */
void sordino_apply_gains(float *re, float *im, const float *energy, const float *gain);

/* synthesis.c */

/* One hop by inverse transform and overlap-add. out [HOP]; overlap [HOP] in/out; re, im [BINS].
 * Reference: synthesis.synthesise. */
void sordino_synthesise(float *out, float *overlap, const float *re, const float *im);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
