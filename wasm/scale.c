/* Stage scale: choose the power of two that brings the input to a level for which the chain is made.
 * Reference: py/sordino/chain/scale.py. */
#include "gen/params.h"
#include "stages.h"

void sordino_reset_level(sordino_level *level)
{
    *level = (sordino_level){.peak = SILENT_PEAK};
}

static int32_t peak_exponent(const float *x)
{
    float most = 0.0f;
    for (int n = 0; n < HOP; n++) {
        const float size = __builtin_fabsf(x[n]);
        if (size > most) most = size;
    }
    uint32_t bits;
    __builtin_memcpy(&bits, &most, sizeof bits);
    return bits ? (int32_t)(bits >> 23) - 126 : SILENT_PEAK;
}

static int32_t wanted_scale(int32_t peak, int32_t scale)
{
    const int32_t off = peak + scale - SCALE_TARGET;
    if (peak > SCALE_HOT) return SCALE_HOT - peak;
    if (scale > 0 && off >= -SCALE_SLACK && off <= SCALE_SLACK) return scale;
    if (peak >= SCALE_FAINT) return 0;
    return SCALE_TARGET - peak < SCALE_MAX ? SCALE_TARGET - peak : SCALE_MAX;
}

void sordino_follow_level(sordino_level *level, const float *x)
{
    const int32_t found = peak_exponent(x), before = level->peak;
    if (found == SILENT_PEAK) return;
    level->age++;
    if (found >= level->peak) {
        level->peak = found;
        level->age = 0;
    } else if (level->age == SCALE_RELEASE_HOPS) {
        level->peak--;
        level->age = 0;
    }
    if (level->wait > 0) level->wait--;
    const int32_t wanted = wanted_scale(level->peak, level->scale);
    if (wanted >= level->scale || before == SILENT_PEAK) {
        level->scale = wanted;
    } else if (level->wait == 0) {
        level->scale--;
        level->wait = SCALE_FALL_HOPS;
    }
}

float sordino_power_of_two(int32_t exponent)
{
    const uint32_t bits = (uint32_t)(exponent + 127) << 23;
    float power;
    __builtin_memcpy(&power, &bits, sizeof power);
    return power;
}

void sordino_multiply(float *x, uint32_t n, float factor)
{
    for (uint32_t i = 0; i < n; i++) x[i] *= factor;
}
