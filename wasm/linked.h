/* What pipeline.c shows to linked.c: the treatment that the channels of a stream share. */
#ifndef SORDINO_LINKED_H
#define SORDINO_LINKED_H

#include "sordino.h"

/* Samples that a stream or a channel remembers, the newest last. */
#define SAMPLES (HISTORY + WINDOW + HOP * MAX_LOOK_AHEAD)

/* How the frame just given out was treated.
 *
 * look_ahead  frames between the newest and the one given out
 * scale       samples and overlap are 2^scale times what came in and goes out
 * period      of the comb filter, samples
 * gain        [PADDED_BANDS] after post-filter and attenuation limit
 * strength    [PADDED_BANDS]
 * samples     [SAMPLES] what the stream remembers
 * overlap     [HOP] second half of its last frame
 */
typedef struct {
    int32_t look_ahead, scale, period;
    const float *gain, *strength, *samples, *overlap;
} sordino_treatment;

sordino_treatment sordino_last_treatment(const sordino_state *state);

#endif
