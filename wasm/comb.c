/* Stage comb: average a frame with its neighbours at multiples of the pitch period. Reference: py/sordino/chain/comb.py. */
#include "gen/tables.h"
#include "numerics.h"
#include "stages.h"

void sordino_comb(float *out, const float *frame, int32_t period, int32_t look_ahead)
{
    int future = look_ahead * HOP / period;
    if (future > COMB_REACH) future = COMB_REACH;
    const float *weight = comb_weights + (2 * COMB_REACH + 1) * future + COMB_REACH;
    for (int n = 0; n < WINDOW; n += LANES) {
        f32x4 total = splat4(0.0f);
        for (int k = -future; k <= COMB_REACH; k++) total += weight[k] * load4(frame + n - k * period);
        store4(out + n, total);
    }
}
