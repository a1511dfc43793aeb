/* Stage postfilter: sharpen the band gains and give back the energy this takes. Reference: py/sordino/postfilter.py. */
#include "numerics.h"
#include "stages.h"

void sordino_postfilter(float *out, const float *gain, const float *energy)
{
    f32x4 before = splat4(0.0f), after = splat4(0.0f), warped[PADDED_BANDS / LANES];
    for (int v = 0; v < PADDED_BANDS / LANES; v++) {
        const f32x4 g = load4(gain + LANES * v), e = load4(energy + LANES * v);
        warped[v] = g * sine_quarter4(g);
        before += e * (g * g);
        after += e * (warped[v] * warped[v]);
    }
    const float ratio = (lane_total(before) + POSTFILTER_FLOOR) / (lane_total(after) + POSTFILTER_FLOOR);
    const float numerator = (1.0f + POSTFILTER_BETA) * ratio;
    const float correction = sqrt1(numerator / (1.0f + POSTFILTER_BETA * (ratio * ratio)));
    for (int v = 0; v < PADDED_BANDS / LANES; v++) store4(out + LANES * v, warped[v] * correction);
}
