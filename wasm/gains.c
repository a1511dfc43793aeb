/* Stage gains: limit the attenuation, mix the comb-filtered spectrum in, keep each band's energy, apply the gains.
 * Reference: py/sordino/chain/gains.py. */
#include "numerics.h"
#include "stages.h"

void sordino_limit_gains(float *gain, float *strength, float floor_gain)
{
    const float most = floor_gain > 0.0f ? 1.0f / floor_gain : __FLT_MAX__;
    for (int b = 0; b < PADDED_BANDS; b++) {
        gain[b] = min1(max1(gain[b], floor_gain), most);
        strength[b] = strength[b] * (1.0f - floor_gain);
    }
}

void sordino_mix_comb(float *re, float *im, const float *comb_re, const float *comb_im, const float *strength)
{
    float r[PADDED_BINS];
    sordino_to_bins(r, strength);
    for (int k = 0; k < PADDED_BINS; k += LANES) {
        const f32x4 x_re = load4(re + k), x_im = load4(im + k);
        store4(re + k, x_re + load4(r + k) * (load4(comb_re + k) - x_re));
        store4(im + k, x_im + load4(r + k) * (load4(comb_im + k) - x_im));
    }
}

void sordino_apply_gains(float *re, float *im, const float *energy, const float *gain)
{
    float mixed[PADDED_BANDS], g[PADDED_BINS];
    sordino_band_energy(mixed, re, im);
    for (int b = 0; b < PADDED_BANDS; b += LANES) {
        const f32x4 restore = sqrt4((load4(energy + b) + MIX_FLOOR) / (load4(mixed + b) + MIX_FLOOR));
        store4(mixed + b, load4(gain + b) * min4(restore, splat4(MIX_GAIN_MAX)));
    }
    sordino_to_bins(g, mixed);
    for (int k = 0; k < PADDED_BINS; k += LANES) {
        store4(re + k, load4(re + k) * load4(g + k));
        store4(im + k, load4(im + k) * load4(g + k));
    }
}
