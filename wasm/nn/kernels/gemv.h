/* Matrix times vector in 8-bit weights and 7-bit activations; for one vector, or for SORDINO_TOGETHER vectors at once,
 * where every weight is read once for all of them.
 *
 * A matrix lies in the weight file as scale [rows], bias [rows], offset [rows] (int32: -64 times the sum of the row), then
 * its weights in blocks of 16 rows, within a block 4 columns at a time, row by row: one linear stream. Rows are a multiple
 * of 16, columns of 4 and at most SORDINO_NETWORK_COLUMNS.
 */
#ifndef SORDINO_GEMV_H
#define SORDINO_GEMV_H

#include "../network.h"

#if defined(SORDINO_DOT)
#include SORDINO_DOT
#elif defined(SORDINO_KERNEL_RELAXED)
#include "dot_relaxed.h"
#elif defined(SORDINO_KERNEL_SIMD128)
#include "dot_simd128.h"
#else
#include "dot_scalar.h"
#endif

#define BLOCK_ROWS 16
#define BLOCK_VECTORS (BLOCK_ROWS / 4)
#define BLOCK_GROUPS (DOT_VECTORS / BLOCK_VECTORS)    /* groups of four columns summed at once */
#define TILE_VECTORS (DOT_VECTORS / SORDINO_TOGETHER) /* groups of four rows summed at once for all vectors */

/* The parts of a matrix. */
typedef struct {
    const float *scale, *bias;
    const int32_t *offset;
    const int8_t *weights;
} parts;

static inline parts split(const uint8_t *matrix, int rows)
{
    const float *scale = (const float *)(const void *)matrix, *bias = scale + rows;
    const int32_t *offset = (const int32_t *)(const void *)(bias + rows);
    return (parts){scale, bias, offset, (const int8_t *)(offset + rows)};
}

/* Finish four rows from r. */
static inline void scale4(float *y, const parts *m, int r, dot_sum sum)
{
    i32x4 total;
    __builtin_memcpy(&total, m->offset + r, sizeof total);
    total += dot_total(sum);
    store4(y + r, __builtin_convertvector(total, f32x4) * load4(m->scale + r) + load4(m->bias + r));
}

/* y [rows] = matrix times q; q [columns] bytes 1..127. Reference: network._IntegerLayer. */
static inline void gemv(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns)
{
    const parts m = split(matrix, rows);
    dot_vector x;
    dot_prepare(&x, q, columns);
    for (int r = 0; r < rows; r += BLOCK_ROWS) {
        const int8_t *w = m.weights + r * columns;
        dot_sum sum[DOT_VECTORS];
        int c = 0;
        for (int v = 0; v < DOT_VECTORS; v++) sum[v] = dot_zero();
        for (; c + 4 * BLOCK_GROUPS <= columns; c += 4 * BLOCK_GROUPS, w += 16 * DOT_VECTORS)
            for (int v = 0; v < DOT_VECTORS; v++)
                sum[v] = dot_add(sum[v], w + 16 * v, dot_load(&x, c + 4 * (v / BLOCK_VECTORS)));
        for (; c < columns; c += 4, w += 16 * BLOCK_VECTORS)
            for (int v = 0; v < BLOCK_VECTORS; v++) sum[v] = dot_add(sum[v], w + 16 * v, dot_load(&x, c));
        for (int v = BLOCK_VECTORS; v < DOT_VECTORS; v++) sum[v % BLOCK_VECTORS] = dot_join(sum[v % BLOCK_VECTORS], sum[v]);
        for (int v = 0; v < BLOCK_VECTORS; v++) scale4(y, &m, r + 4 * v, sum[v]);
    }
}

/* Finish the rows of a tile from r. */
static inline void scale_tile(float *y, int32_t stride, const parts *m, int r, dot_sum sum[][TILE_VECTORS])
{
    for (int k = 0; k < SORDINO_TOGETHER; k++)
        for (int v = 0; v < TILE_VECTORS; v++) scale4(y + k * stride, m, r + 4 * v, sum[k][v]);
}

/* gemv for SORDINO_TOGETHER vectors. y [SORDINO_TOGETHER][rows], `stride` floats apart; q [SORDINO_TOGETHER] vectors. */
static inline void gemm(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q, int32_t rows,
                        int32_t columns)
{
    const parts m = split(matrix, rows);
    dot_vector x[SORDINO_TOGETHER];
    for (int k = 0; k < SORDINO_TOGETHER; k++) dot_prepare(&x[k], q[k], columns);
    for (int r = 0; r < rows; r += 4 * TILE_VECTORS) {
        const int8_t *w = m.weights + r / BLOCK_ROWS * BLOCK_ROWS * columns + r % BLOCK_ROWS * 4;
        dot_sum sum[SORDINO_TOGETHER][TILE_VECTORS];
        for (int k = 0; k < SORDINO_TOGETHER; k++)
            for (int v = 0; v < TILE_VECTORS; v++) sum[k][v] = dot_zero();
        for (int c = 0; c < columns; c += 4, w += 16 * BLOCK_VECTORS)
            for (int k = 0; k < SORDINO_TOGETHER; k++)
                for (int v = 0; v < TILE_VECTORS; v++) sum[k][v] = dot_add(sum[k][v], w + 16 * v, dot_load(&x[k], c));
        scale_tile(y, stride, &m, r, sum);
    }
}

#endif
