/* Stage synthesis: a half spectrum to one hop of samples by inverse transform, window and overlap-add.
 * Reference: py/sordino/chain/synthesis.py. */
#include "fft.h"
#include "gen/tables.h"
#include "numerics.h"
#include "stages.h"

void sordino_synthesise(float *out, float *overlap, const float *re, const float *im)
{
    float y_re[HALF], y_im[HALF];
    sordino_inverse_real_transform(y_re, y_im, re, im);
    for (int i = 0; i < HALF; i += LANES) {
        const f32x4 even = load4(y_re + i), odd = load4(y_im + i);
        const f32x4 low = __builtin_shufflevector(even, odd, 0, 4, 1, 5);
        const f32x4 high = __builtin_shufflevector(even, odd, 2, 6, 3, 7);
        float *y = i < HALF / 2 ? out + 2 * i : overlap + 2 * i - HOP;
        const f32x4 windowed_low = low * load4(window + 2 * i);
        const f32x4 windowed_high = high * load4(window + 2 * i + LANES);
        store4(y, i < HALF / 2 ? load4(overlap + 2 * i) + windowed_low : windowed_low);
        store4(y + LANES, i < HALF / 2 ? load4(overlap + 2 * i + LANES) + windowed_high : windowed_high);
    }
}
