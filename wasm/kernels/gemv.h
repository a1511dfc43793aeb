/* Matrix times vector in 8-bit weights and 7-bit activations, for the shapes of a generated network file.
 *
 * A matrix lies in the weight file as scale [rows], bias [rows], offset [rows] (int32: -64 times the sum of the row),
 * then the weights in blocks of 32 rows, within a block 4 columns at a time, row by row: one linear stream.
 */
#ifndef SORDINO_GEMV_H
#define SORDINO_GEMV_H

#if defined(SORDINO_KERNEL_RELAXED)
#include "dot_relaxed.h"
#elif defined(SORDINO_KERNEL_SIMD128)
#include "dot_simd128.h"
#else
#include "dot_scalar.h"
#endif

#define GEMV_BLOCK 32

/* y [rows] = matrix times q; q [columns] bytes 1..127; rows a multiple of 32, columns of 4.
 * Reference: network._IntegerLayer. */
static inline __attribute__((always_inline)) void gemv(float *y, const uint8_t *matrix, const uint8_t *q, int rows,
                                                       int columns)
{
    const float *scale = (const float *)(const void *)matrix, *bias = scale + rows;
    const int32_t *offset = (const int32_t *)(const void *)(bias + rows);
    const int8_t *weights = (const int8_t *)(offset + rows);
    for (int r = 0; r < rows; r += 4 * DOT_VECTORS) {
        const int8_t *w = weights + (r / GEMV_BLOCK) * GEMV_BLOCK * columns + 4 * (r % GEMV_BLOCK);
        dot_sum sum[DOT_VECTORS];
        for (int v = 0; v < DOT_VECTORS; v++) sum[v] = dot_zero();
        for (int c = 0; c < columns; c += 4) {
            const dot_input x = dot_load(q + c);
            for (int v = 0; v < DOT_VECTORS; v++) sum[v] = dot_add(sum[v], w + 16 * v, x);
            w += 4 * GEMV_BLOCK;
        }
        for (int v = 0; v < DOT_VECTORS; v++) {
            i32x4 total;
            __builtin_memcpy(&total, offset + r + 4 * v, sizeof total);
            total += dot_total(sum[v]);
            const f32x4 value = __builtin_convertvector(total, f32x4) * load4(scale + r + 4 * v);
            store4(y + r + 4 * v, value + load4(bias + r + 4 * v));
        }
    }
}

#endif
