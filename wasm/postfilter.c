/* Stage postfilter: sharpen the band gains where there is noise, and give back the energy this takes.
 * Reference: py/sordino/chain/postfilter.py. */
#include "numerics.h"
#include "stages.h"

float sordino_noise_share(float *memory, const float *gain, const float *energy)
{
    f32x4 removed = splat4(0.0f), all = splat4(0.0f);
    for (int b = 0; b < PADDED_BANDS; b += LANES) {
        const f32x4 g = load4(gain + b), e = load4(energy + b);
        removed += e * (splat4(1.0f) - g * g);
        all += e;
    }
    memory[0] = POSTFILTER_MEMORY * memory[0] + (lane_total(removed) + POSTFILTER_FLOOR);
    memory[1] = POSTFILTER_MEMORY * memory[1] + (lane_total(all) + POSTFILTER_FLOOR);
    return min1(1.0f, POSTFILTER_SHARE * (memory[0] / memory[1]));
}

void sordino_postfilter(float *out, const float *gain, const float *energy, float strength)
{
    const f32x4 kept = splat4(1.0f - strength), sharpened = splat4(strength);
    f32x4 before = splat4(0.0f), after = splat4(0.0f), warped[PADDED_BANDS / LANES];
    for (int v = 0; v < PADDED_BANDS / LANES; v++) {
        const f32x4 g = load4(gain + LANES * v), e = load4(energy + LANES * v);
        warped[v] = g * (kept + sharpened * sine_quarter4(g));
        before += e * (g * g);
        after += e * (warped[v] * warped[v]);
    }
    const float ratio = (lane_total(before) + POSTFILTER_FLOOR) / (lane_total(after) + POSTFILTER_FLOOR);
    const float numerator = (1.0f + POSTFILTER_BETA) * ratio;
    const float correction = sqrt1(numerator / (1.0f + POSTFILTER_BETA * (ratio * ratio)));
    for (int v = 0; v < PADDED_BANDS / LANES; v++) store4(out + LANES * v, warped[v] * correction);
}
