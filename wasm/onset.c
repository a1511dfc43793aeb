/* Stage onset: where a voice sets in, lift the gains of its first frames. Reference: py/sordino/chain/onset.py. */
#include "numerics.h"
#include "stages.h"

float sordino_onset(float *memory, float voice)
{
    const float rise = voice - memory[0];
    const float sudden = min1(1.0f, ONSET_SLOPE * (rise - ONSET_RISE));
    const float faded = max1(0.0f, memory[1] - ONSET_FADE);
    memory[0] = memory[0] + (1.0f - ONSET_MEMORY) * rise;
    memory[1] = max1(sudden, faded);
    return memory[1];
}

void sordino_lift_gains(float *out, const float *gain, float lift)
{
    const f32x4 one = splat4(1.0f), most = splat4(lift);
    for (int b = 0; b < PADDED_BANDS; b += LANES) {
        const f32x4 g = load4(gain + b);
        const f32x4 opening = clamp4((g - ONSET_CLOSED) / (ONSET_OPEN - ONSET_CLOSED), 0.0f, 1.0f);
        store4(out + b, min4(one, g * (one + most * opening)));
    }
}
