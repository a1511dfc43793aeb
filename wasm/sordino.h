/* Sordino: real-time speech noise suppression, one stream of 48 kHz mono in hops of 480 samples (10 ms).
 *
 * The caller owns all memory: the bytes of a weight file (shared by any number of streams, never written) and one
 * state per stream. Nothing here allocates, blocks or calls out; after sordino_init nothing can fail.
 */
#ifndef SORDINO_H
#define SORDINO_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SORDINO_ALIGNMENT 16

typedef struct sordino_state sordino_state;

enum {
    SORDINO_OK = 0,
    SORDINO_NOT_A_WEIGHT_FILE = -1,
    SORDINO_WRONG_VERSION = -2,
    SORDINO_WRONG_SIZE = -3,
    SORDINO_WRONG_CHECKSUM = -4,
    SORDINO_UNKNOWN_NETWORK = -5,
};

/* Bytes of one stream's state; it starts at a multiple of SORDINO_ALIGNMENT. */
uint32_t sordino_state_bytes(void);

/* Prepare a stream.
 *
 * state    sordino_state_bytes() bytes, contents irrelevant
 * weights  a whole weight file at a multiple of SORDINO_ALIGNMENT; must outlive the state
 * bytes    size of the weight file
 * returns  SORDINO_OK or a negative code; after a failure the state must not be used
 */
int32_t sordino_init(sordino_state *state, const uint8_t *weights, uint32_t bytes);

/* Forget everything heard; the settings stay. */
void sordino_reset(sordino_state *state);

/* Take one hop in and give one hop out, sordino_latency() samples later.
 *
 * out  [480] samples, full scale 1
 * in   [480] samples, full scale 1; may be the same memory as out. Samples that are not finite count as 0.
 */
void sordino_process(sordino_state *state, float *out, const float *in);

/* The same work in pieces, for callers that have less time at once than a hop lasts: begin, advance as often as wanted,
 * finish before the next begin. The output and the latency are those of sordino_process; the caller's delay comes on top.
 *
 * begin    analyse a hop, [480] samples
 * advance  compute the next part of the network; returns how many parts are left, 0 when there is nothing to do
 * finish   compute what is left and give one hop out, [480] samples
 */
void sordino_begin(sordino_state *state, const float *in);
int32_t sordino_advance(sordino_state *state);
void sordino_finish(sordino_state *state, float *out);

/* Samples between the input and the output of sordino_process. */
uint32_t sordino_latency(const sordino_state *state);

/* Envelope post-filter: 1 on (default), 0 off. */
void sordino_set_post_filter(sordino_state *state, int32_t on);

/* Attenuate no band below this amplitude, 0 (default: no limit) to 1 (leave everything). */
void sordino_set_attenuation_limit(sordino_state *state, float floor_gain);

/* What was decided about the frame just given out. */
float sordino_voice(const sordino_state *state);             /* speech probability, 0..1 */
const float *sordino_gains(const sordino_state *state);      /* [34] network gains, 0..1 */
const float *sordino_strengths(const sordino_state *state);  /* [34] share of the comb-filtered spectrum, 0..1 */
float sordino_pitch_period(const sordino_state *state);      /* samples, 96..799 */
float sordino_pitch_correlation(const sordino_state *state); /* 0..1 */

#ifdef __cplusplus
}
#endif
#endif
