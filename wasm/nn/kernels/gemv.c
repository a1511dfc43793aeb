/* Matrix times vector as the networks call it: nn/kernels/gemv.h with the build's own dot product. The relaxed build has
 * two and chooses when it runs; so does the native build: native/dispatch.c. */
#include "gemv.h"

#include "../network.h"

#if defined(SORDINO_KERNEL_RELAXED)
#include "functions.h"

SORDINO_DECLARE_KERNEL(fused);
SORDINO_DECLARE_KERNEL(steps);

/* Whether x86 without an instruction for it computes relaxed dot products. It alone keeps pairs of products in 16 bits:
 * of bytes beyond the 7 bits that the kernels use, it tells by what it makes of four times -128 * 255. */
static int32_t in_steps(void)
{
    static int32_t known, steps;
    if (!known) {
        v128_t lowest = wasm_i8x16_const_splat(INT8_MIN), highest = wasm_u8x16_const_splat(UINT8_MAX);
        __asm__("" : "+r"(lowest), "+r"(highest)); /* to be computed here and now, not by the compiler */
        const v128_t sum = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(lowest, highest, wasm_i32x4_const_splat(0));
        steps = wasm_i32x4_extract_lane(sum, 0) == 2 * INT16_MIN;
        known = 1;
    }
    return steps;
}

void sordino_dense(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns)
{
    if (in_steps())
        sordino_dense_steps(y, matrix, q, rows, columns);
    else
        sordino_dense_fused(y, matrix, q, rows, columns);
}

void sordino_dense_together(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q, int32_t rows,
                            int32_t columns)
{
    if (in_steps())
        sordino_dense_together_steps(y, stride, matrix, q, rows, columns);
    else
        sordino_dense_together_fused(y, stride, matrix, q, rows, columns);
}
#elif !defined(SORDINO_KERNEL_DISPATCH)
void sordino_dense(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns)
{
    gemv(y, matrix, q, rows, columns);
}

void sordino_dense_together(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q, int32_t rows,
                            int32_t columns)
{
    gemm(y, stride, matrix, q, rows, columns);
}
#endif
