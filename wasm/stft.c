/* Stage stft: a windowed frame of samples to its half spectrum. Reference: py/sordino/chain/stft.py. */
#include "fft.h"
#include "gen/tables.h"
#include "numerics.h"
#include "stages.h"

void sordino_analyse(float *re, float *im, const float *x)
{
    float a_re[HALF], a_im[HALF];
    for (int i = 0; i < HALF; i += LANES) {
        const f32x4 low = load4(x + 2 * i) * load4(analysis_window + 2 * i);
        const f32x4 high = load4(x + 2 * i + LANES) * load4(analysis_window + 2 * i + LANES);
        store4(a_re + i, __builtin_shufflevector(low, high, 0, 2, 4, 6));
        store4(a_im + i, __builtin_shufflevector(low, high, 1, 3, 5, 7));
    }
    sordino_real_transform(re, im, a_re, a_im);
    for (int k = BINS; k < PADDED_BINS; k++) re[k] = im[k] = 0.0f;
}
