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

#include "gen/errors.h"
#include "gen/readouts.h"

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

/* What a stream takes and gives in one hop. Zero what is not meant: members may be added at the end.
 *
 * near      [480] samples of the microphone, full scale 1. Samples that are not finite count as 0.
 * out       [480] samples, full scale 1; may be near
 * readouts  what was decided about the frame just given out, or NULL
 */
typedef struct {
    const float *near;
    float *out;
    sordino_readouts *readouts;
} sordino_io;

/* Take one hop in and give one hop out, sordino_latency() samples later. */
void sordino_run(sordino_state *state, const sordino_io *io);

/* sordino_run with nothing but samples: take one hop in and give one hop out, sordino_latency() samples later.
 *
 * out  [480] samples, full scale 1
 * in   [480] samples, full scale 1; may be the same memory as out. Samples that are not finite count as 0.
 */
void sordino_process(sordino_state *state, float *out, const float *in);

/* The same work in pieces, for callers that have less time at once than a hop lasts: begin, advance as often as wanted,
 * finish before the next begin. The output and the latency are those of sordino_process; the caller's delay comes on top.
 *
 * begin    analyse a hop, [480] samples; returns how many parts the network has
 * advance  compute the next part of the network; returns how many parts are left, 0 when there is nothing to do
 * finish   compute what is left and give one hop out, [480] samples
 */
int32_t sordino_begin(sordino_state *state, const float *in);
int32_t sordino_advance(sordino_state *state);
void sordino_finish(sordino_state *state, float *out);

/* sordino_advance for many streams that have begun, four of them in a row where neighbours in the list are of the same
 * weights and have come equally far: then the weights are in the cache. The output stays that of each alone.
 *
 * streams  [count] different streams
 * returns  how many parts are left where most are left
 */
int32_t sordino_advance_together(sordino_state *const *streams, int32_t count);

/* Samples between the input and the output of sordino_process. */
uint32_t sordino_latency(const sordino_state *state);

/* Decide with fewer frames of look-ahead, 10 ms of latency each: at most the weights' own number, which is the default.
 * Forgets everything heard. */
void sordino_set_look_ahead(sordino_state *state, int32_t frames);

/* How often the envelope post-filter sharpens the gains: 0 (default), 1, or 2, which removes most. */
void sordino_set_post_filter(sordino_state *state, int32_t passes);

/* Attenuate no band below this amplitude, 0 (default: no limit) to 1 (leave everything), nor let the post-filter raise one
 * above its inverse. */
void sordino_set_attenuation_limit(sordino_state *state, float floor_gain);

/* Linked channels. A stream works on the mean of the channels; each channel then follows what the stream decided, so
 * all get the same gains at the same time and the stereo image stays. The latency is the stream's. */
typedef struct sordino_channel sordino_channel;

/* Bytes of one channel; it starts at a multiple of SORDINO_ALIGNMENT. */
uint32_t sordino_channel_bytes(void);

/* Begin to follow: what the stream has heard so far counts as the channel's own past. After sordino_reset, join again. */
void sordino_join(sordino_channel *channel, const sordino_state *state);

/* Treat one hop of a channel as the stream's last hop. To be called after sordino_process with the mean of the same hop.
 *
 * out  [480] samples, full scale 1
 * in   [480] samples of this channel; may be the same memory as out
 */
void sordino_follow(sordino_channel *channel, float *out, const float *in, const sordino_state *state);

/* Echo control: what the loudspeaker plays is taken out of the microphone, before sordino_run hears it. One for each
 * channel of the microphone. */
typedef struct sordino_echo sordino_echo;

/* Bytes of one; it starts at a multiple of SORDINO_ALIGNMENT. */
uint32_t sordino_echo_bytes(void);

/* Forget the delay and the room; to be called before the first hop. */
void sordino_reset_echo(sordino_echo *echo);

/* One hop of the microphone without the echo of the far end; no later than near, and near itself, to the bit, while no
 * echo was found.
 *
 * out   [480] samples, full scale 1; may be near
 * near  [480] samples of the microphone, full scale 1. Samples that are not finite count as 0.
 * far   [480] samples of what the loudspeaker plays, handed to it in the same 10 ms or up to half a second before
 */
void sordino_cancel(float *out, sordino_echo *echo, const float *near, const float *far);

/* Sample rate conversion of 1 to 8 channels by a polyphase windowed sinc: pass band up to 0.455 of the lower rate,
 * errors below -90 dB there. */
typedef struct sordino_resampler sordino_resampler;

enum {
    SORDINO_RESAMPLER_HALF = 32,    /* samples of the lower rate before and after the centre of the filter */
    SORDINO_RESAMPLER_BLOCK = 1024, /* most samples per channel that one call takes */
};

/* Bytes of a resampler; it starts at a multiple of SORDINO_ALIGNMENT. 0 where the arguments are not as in _init. */
uint32_t sordino_resampler_bytes(uint32_t in_hz, uint32_t out_hz, uint32_t channels, double delay);

/* Prepare a resampler.
 *
 * in_hz, out_hz  1000..768000
 * channels       1..8
 * delay          in samples at in_hz, SORDINO_RESAMPLER_HALF * max(1, in_hz / out_hz) or up to twice as much:
 *                output sample m is the input at m in_hz / out_hz - delay
 */
void sordino_resampler_init(sordino_resampler *resampler, uint32_t in_hz, uint32_t out_hz, uint32_t channels, double delay);

/* Forget what was heard; the next sample counts as the first. */
void sordino_resampler_reset(sordino_resampler *resampler);

/* Convert one block.
 *
 * out         channel c at out + c out_stride; room for samples out_hz / in_hz + 1 samples each
 * in          channel c at in + c in_stride; not finite samples count as 0
 * samples     0..SORDINO_RESAMPLER_BLOCK per channel
 * returns     samples written per channel: after n samples in all, ceil(n out_hz / in_hz)
 */
uint32_t sordino_resample(sordino_resampler *resampler, float *out, uint32_t out_stride, const float *in,
                          uint32_t in_stride, uint32_t samples);

#ifdef __cplusplus
}
#endif
#endif
