/* A weight file in memory: what its header says and which network of this build reads it. */
#ifndef SORDINO_WEIGHTS_H
#define SORDINO_WEIGHTS_H

#include "nn/network.h"

/* An open weight file.
 *
 * bytes           the file
 * network         the network that it was made for
 * look_ahead      frames, the most and the default
 * offset, factor  [PADDED_FEATURES] each, for sordino_normalise
 */
typedef struct {
    const uint8_t *bytes;
    const sordino_network *network;
    int32_t look_ahead;
    const float *offset, *factor;
} sordino_weights;

/* Check a weight file of so many bytes; returns SORDINO_OK or a code of gen/errors.h, and then opened is not written. */
int32_t sordino_open_weights(sordino_weights *opened, const uint8_t *weights, uint32_t bytes);

#endif
