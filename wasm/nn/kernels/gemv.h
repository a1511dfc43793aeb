/* Matrix times vector in 8-bit weights and 7-bit activations, dense or with blocks left out; for one vector, or for
 * SORDINO_TOGETHER vectors at once, where every weight is read once for all of them.
 *
 * A matrix lies in the weight file as scale [rows], bias [rows], offset [rows] (int32: -64 times the sum of the row),
 * then its weights:
 *   dense   blocks of 16 rows, within a block 4 columns at a time, row by row: one linear stream
 *   sparse  for each strip of 8 rows how many of its blocks of 4 columns follow (uint16), for each such block its first
 *           column (uint16), both lists padded to 16 bytes, then the blocks, row by row
 * Rows are a multiple of 16, columns of 4 and at most SORDINO_NETWORK_COLUMNS.
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
#define BLOCK_GROUPS (DOT_VECTORS / BLOCK_VECTORS) /* groups of four columns summed at once */
#define STRIP_ROWS 8
#define STRIP_VECTORS (STRIP_ROWS / 4)
#define STRIP_BLOCKS (DOT_VECTORS / STRIP_VECTORS) /* blocks summed at once */
#define STRIP_BYTES (STRIP_ROWS * 4)
#define TILE_VECTORS (DOT_VECTORS / SORDINO_TOGETHER) /* groups of four rows summed at once for all vectors */

/* The parts of a matrix. */
typedef struct {
    const float *scale, *bias;
    const int32_t *offset;
    const uint8_t *rest;
} parts;

static inline parts split(const uint8_t *matrix, int rows)
{
    const float *scale = (const float *)(const void *)matrix, *bias = scale + rows;
    const int32_t *offset = (const int32_t *)(const void *)(bias + rows);
    return (parts){scale, bias, offset, (const uint8_t *)(offset + rows)};
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
    const int8_t *weights = (const int8_t *)m.rest;
    dot_vector x;
    dot_prepare(&x, q, columns);
    for (int r = 0; r < rows; r += BLOCK_ROWS) {
        const int8_t *w = weights + r * columns;
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
    const int8_t *weights = (const int8_t *)m.rest;
    dot_vector x[SORDINO_TOGETHER];
    for (int k = 0; k < SORDINO_TOGETHER; k++) dot_prepare(&x[k], q[k], columns);
    for (int r = 0; r < rows; r += 4 * TILE_VECTORS) {
        const int8_t *w = weights + r / BLOCK_ROWS * BLOCK_ROWS * columns + r % BLOCK_ROWS * 4;
        dot_sum sum[SORDINO_TOGETHER][TILE_VECTORS];
        for (int k = 0; k < SORDINO_TOGETHER; k++)
            for (int v = 0; v < TILE_VECTORS; v++) sum[k][v] = dot_zero();
        for (int c = 0; c < columns; c += 4, w += 16 * BLOCK_VECTORS)
            for (int k = 0; k < SORDINO_TOGETHER; k++)
                for (int v = 0; v < TILE_VECTORS; v++) sum[k][v] = dot_add(sum[k][v], w + 16 * v, dot_load(&x[k], c));
        scale_tile(y, stride, &m, r, sum);
    }
}

/* The lists of a sparse matrix. */
typedef struct {
    const uint16_t *count, *column;
    const int8_t *weights;
} lists;

static inline lists find_lists(const parts *m, int rows, int blocks)
{
    const uint16_t *count = (const uint16_t *)(const void *)m->rest;
    const uint16_t *column = count + (rows / STRIP_ROWS + 7) / 8 * 8;
    return (lists){count, column, (const int8_t *)(column + (blocks + 7) / 8 * 8)};
}

/* The same for a sparse matrix that holds `blocks` blocks. */
static inline void gemv_sparse(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns,
                               int32_t blocks)
{
    const parts m = split(matrix, rows);
    const lists s = find_lists(&m, rows, blocks);
    const uint16_t *column = s.column;
    const int8_t *w = s.weights;
    dot_vector x;
    dot_prepare(&x, q, columns);
    for (int r = 0; r < rows; r += STRIP_ROWS) {
        const uint16_t *last = column + s.count[r / STRIP_ROWS];
        dot_sum sum[DOT_VECTORS];
        for (int v = 0; v < DOT_VECTORS; v++) sum[v] = dot_zero();
        for (; last - column >= STRIP_BLOCKS; column += STRIP_BLOCKS, w += STRIP_BLOCKS * STRIP_BYTES)
            for (int v = 0; v < DOT_VECTORS; v++)
                sum[v] = dot_add(sum[v], w + 16 * v, dot_load(&x, column[v / STRIP_VECTORS]));
        for (; column < last; column++, w += STRIP_BYTES)
            for (int v = 0; v < STRIP_VECTORS; v++) sum[v] = dot_add(sum[v], w + 16 * v, dot_load(&x, *column));
        for (int v = STRIP_VECTORS; v < DOT_VECTORS; v++) sum[v % STRIP_VECTORS] = dot_join(sum[v % STRIP_VECTORS], sum[v]);
        for (int v = 0; v < STRIP_VECTORS; v++) scale4(y, &m, r + 4 * v, sum[v]);
    }
}

/* gemv_sparse for SORDINO_TOGETHER vectors; y, stride and q as for gemm. */
static inline void gemm_sparse(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q, int32_t rows,
                               int32_t columns, int32_t blocks)
{
    const parts m = split(matrix, rows);
    const lists s = find_lists(&m, rows, blocks);
    const uint16_t *column = s.column;
    const int8_t *strip = s.weights;
    dot_vector x[SORDINO_TOGETHER];
    for (int k = 0; k < SORDINO_TOGETHER; k++) dot_prepare(&x[k], q[k], columns);
    for (int r = 0; r < rows; r += STRIP_ROWS) {
        const int count = s.count[r / STRIP_ROWS];
        for (int first = 0; first < STRIP_VECTORS; first += TILE_VECTORS) {
            const int8_t *w = strip + 16 * first;
            dot_sum sum[SORDINO_TOGETHER][TILE_VECTORS];
            for (int k = 0; k < SORDINO_TOGETHER; k++)
                for (int v = 0; v < TILE_VECTORS; v++) sum[k][v] = dot_zero();
            for (int i = 0; i < count; i++, w += STRIP_BYTES)
                for (int k = 0; k < SORDINO_TOGETHER; k++)
                    for (int v = 0; v < TILE_VECTORS; v++)
                        sum[k][v] = dot_add(sum[k][v], w + 16 * v, dot_load(&x[k], column[i]));
            scale_tile(y, stride, &m, r + 4 * first, sum);
        }
        column += count;
        strip += count * STRIP_BYTES;
    }
}

/* Whether a sparse matrix holds as many blocks as said, all within its columns: 1 or 0. */
static inline int32_t sparse_valid(const uint8_t *matrix, int32_t rows, int32_t columns, int32_t blocks)
{
    const parts m = split(matrix, rows);
    const lists s = find_lists(&m, rows, blocks);
    int32_t total = 0, valid = 1;
    for (int strip = 0; strip < rows / STRIP_ROWS; strip++) total += s.count[strip];
    for (int block = 0; block < blocks; block++) valid &= s.column[block] + 4 <= columns;
    return valid && total == blocks;
}

#endif
