/* The guard at the chain's entrance. */
#ifndef SORDINO_GUARD_H
#define SORDINO_GUARD_H

#include "gen/params.h"

/* A sample fit for the chain: not finite or minute -> 0, huge -> clamped. Reference: pipeline.guard. */
static inline float guard(float x)
{
    const float size = __builtin_fabsf(x);
    if (!(size <= 3.402823466e38f) || size < SAMPLE_FLOOR) return 0.0f;
    if (size > SAMPLE_LIMIT) return x < 0.0f ? -SAMPLE_LIMIT : SAMPLE_LIMIT;
    return x;
}

/* A hop of them. hop, in [HOP]. */
static inline void guard_hop(float *hop, const float *in)
{
    for (int n = 0; n < HOP; n++) hop[n] = guard(in[n]);
}

#endif
