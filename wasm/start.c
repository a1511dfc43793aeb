/* Stage start: hold back in the first second of sound. Reference: py/sordino/chain/start.py. */
#include "numerics.h"
#include "stages.h"

int32_t sordino_count_sound(int32_t heard, const float *energy)
{
    int32_t sounds = 0;
    for (int b = 0; b < BANDS; b++) sounds |= energy[b] > 0.0f;
    return heard < START_HOPS ? heard + sounds : START_HOPS;
}

void sordino_hold_back(float *gain, int32_t heard)
{
    const float least = (START_GAIN / START_HOPS) * (float)(START_HOPS - heard);
    for (int b = 0; b < BANDS; b++) gain[b] = max1(gain[b], least);
}
