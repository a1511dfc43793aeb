/* Stage bands: sums over overlapping triangular ERB bands, and interpolation back to bins. Reference: py/sordino/chain/bands.py. */
#include "gen/tables.h"
#include "numerics.h"
#include "stages.h"

void sordino_band_sum(float *out, const float *x)
{
    const float *weight = band_weights;
    for (int b = 0; b < BANDS; b++) {
        const float *from = x + band_first[b];
        f32x4 total = splat4(0.0f);
        for (int k = 0; k < band_count[b]; k += LANES) total += load4(weight + k) * load4(from + k);
        out[b] = lane_total(total);
        weight += band_count[b];
    }
    for (int b = BANDS; b < PADDED_BANDS; b++) out[b] = 0.0f;
}

void sordino_band_energy(float *out, const float *re, const float *im)
{
    sordino_band_cross(out, re, im, re, im);
}

void sordino_band_cross(float *out, const float *a_re, const float *a_im, const float *b_re, const float *b_im)
{
    float product[PADDED_BINS];
    for (int k = 0; k < PADDED_BINS; k += LANES)
        store4(product + k, load4(a_re + k) * load4(b_re + k) + load4(a_im + k) * load4(b_im + k));
    sordino_band_sum(out, product);
}

void sordino_to_bins(float *out, const float *x)
{
    for (int k = 0; k < BINS; k++) {
        const float *pair = x + bin_lower_band[k];
        out[k] = bin_lower_weight[k] * pair[0] + bin_upper_weight[k] * pair[1];
    }
    for (int k = BINS; k < PADDED_BINS; k++) out[k] = 0.0f;
}
