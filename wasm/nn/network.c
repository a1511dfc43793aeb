/* Stage network: activations, gates and quantisation that all generated networks share. Reference: py/sordino/chain/network.py. */
#include "network.h"

#include "numerics.h"

typedef uint8_t u8x4 __attribute__((vector_size(4)));

void sordino_quantise(uint8_t *q, const float *x, int32_t n)
{
    for (int i = 0; i < n; i += LANES) {
        const f32x4 y = load4(x + i) * (float)ACTIVATION_SCALE + (ACTIVATION_OFFSET + 0.5f);
        const u8x4 bytes = __builtin_convertvector(whole4(clamp4(y, 1.0f, 127.5f)), u8x4);
        __builtin_memcpy(q + i, &bytes, sizeof bytes);
    }
}

void sordino_fast_tanh(float *x, int32_t n)
{
    for (int i = 0; i < n; i += LANES) store4(x + i, fast_tanh4(load4(x + i)));
}

void sordino_quantise_fast_tanh(uint8_t *q, float *x, int32_t n)
{
    sordino_fast_tanh(x, n);
    sordino_quantise(q, x, n);
}

void sordino_squash(uint8_t *q, const float *x, const float *scale, const float *shift, int32_t n)
{
    for (int i = 0; i < n; i += LANES) {
        float y[LANES];
        store4(y, fast_tanh4(load4(x + i) * load4(scale + i) + load4(shift + i)));
        sordino_quantise(q + i, y, LANES);
    }
}

void sordino_add(float *x, const float *y, int32_t n)
{
    for (int i = 0; i < n; i += LANES) store4(x + i, load4(x + i) + load4(y + i));
}

void sordino_gru(float *h, uint8_t *q, const float *from_input, const float *from_state, int32_t n)
{
    for (int i = 0; i < n; i += LANES) {
        const f32x4 reset = fast_sigmoid4(load4(from_input + i) + load4(from_state + i));
        const f32x4 keep = fast_sigmoid4(load4(from_input + n + i) + load4(from_state + n + i));
        const f32x4 new = fast_tanh4(load4(from_input + 2 * n + i) + reset * load4(from_state + 2 * n + i));
        store4(h + i, new + keep * (load4(h + i) - new));
    }
    sordino_quantise(q, h, n);
}

void sordino_sigmoid(float *x, int32_t n)
{
    for (int i = 0; i < n; i += LANES) store4(x + i, sigmoid4(load4(x + i)));
}

void sordino_keep_bands(float *out, const float *x)
{
    for (int b = 0; b < PADDED_BANDS; b++) out[b] = b < BANDS ? x[b] : 0.0f;
}
