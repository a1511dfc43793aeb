/* Stage features: collect and normalise what the network sees. Reference: py/sordino/chain/features.py. */
#include "numerics.h"
#include "stages.h"

void sordino_coherence(float *out, const float *energy_a, const float *energy_b, const float *cross)
{
    for (int b = 0; b < PADDED_BANDS; b += LANES) {
        const f32x4 root = sqrt4(load4(energy_a + b) * load4(energy_b + b) + MIX_FLOOR * MIX_FLOOR);
        store4(out + b, clamp4(load4(cross + b) / root, -1.0f, 1.0f));
    }
}

void sordino_features(float *out, const float *newest_energy, const float *coherence, int32_t period, float correlation)
{
    float logarithm[PADDED_BANDS];
    for (int b = 0; b < PADDED_BANDS; b += LANES) store4(logarithm + b, log2_4(load4(newest_energy + b) + ENERGY_FLOOR));
    for (int b = 0; b < BANDS; b++) {
        out[b] = logarithm[b];
        out[BANDS + b] = coherence[b];
    }
    out[2 * BANDS] = log2_4(splat4((float)period * (1.0f / PERIOD_CENTRE)))[0];
    out[2 * BANDS + 1] = correlation;
    for (int i = FEATURES; i < PADDED_FEATURES; i++) out[i] = 0.0f;
}

void sordino_normalise(float *out, const float *features, const float *offset, const float *factor)
{
    for (int i = 0; i < PADDED_FEATURES; i += LANES)
        store4(out + i, clamp4((load4(features + i) - load4(offset + i)) * load4(factor + i), -1.0f, 1.0f));
}
