/* Stage residual: leave noise where it is faint beside the voice. Reference: py/sordino/chain/residual.py. */
#include "numerics.h"
#include "stages.h"

float sordino_residual_gain(float *memory, const float *gain, const float *energy)
{
    f32x4 voice = splat4(0.0f), noise = splat4(0.0f);
    for (int b = 0; b < PADDED_BANDS; b += LANES) {
        const f32x4 g = load4(gain + b), e = load4(energy + b), kept = g * g;
        voice += e * kept;
        noise += e * (splat4(1.0f) - kept);
    }
    memory[0] = max1(lane_total(voice) + RESIDUAL_FLOOR, RESIDUAL_VOICE_FALL * memory[0]);
    memory[1] = RESIDUAL_NOISE_MEMORY * memory[1] + (1.0f - RESIDUAL_NOISE_MEMORY) * (lane_total(noise) + RESIDUAL_FLOOR);
    return min1(RESIDUAL_GAIN_MAX, sqrt1(RESIDUAL_BELOW * memory[0] / memory[1]));
}

void sordino_leave_residual(float *gain, float residual)
{
    for (int b = 0; b < BANDS; b++) gain[b] = max1(gain[b], residual);
}
