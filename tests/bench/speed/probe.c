/* What a matrix of 1536 x 128 costs when nothing but this shape matters: the yardstick for the kernels in the same run.
 *
 * Written for one layout each: 32 rows x 4 columns in relaxed SIMD, 16 rows x 2 columns in SIMD128; fixed sizes, sums
 * without bias. Same parameters as sordino_dense; the weights begin after 12 bytes per row.
 */
#include <stdint.h>
#include <wasm_simd128.h>

enum { ROWS = 1536, COLUMNS = 128, VECTORS = 8 };

void probe(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns);

#if defined(__wasm_relaxed_simd__)
void probe(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns)
{
    const uint8_t *w = matrix + 12 * rows;
    (void)columns;
    for (int r = 0; r < ROWS; r += 4 * VECTORS) {
        v128_t sum[VECTORS];
        for (int v = 0; v < VECTORS; v++) sum[v] = wasm_i32x4_const_splat(0);
        for (int c = 0; c < COLUMNS; c += 4, w += 16 * VECTORS) {
            const v128_t x = wasm_v128_load32_splat(q + c);
            for (int v = 0; v < VECTORS; v++)
                sum[v] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_load(w + 16 * v), x, sum[v]);
        }
        for (int v = 0; v < VECTORS; v++) wasm_v128_store(y + r + 4 * v, wasm_f32x4_convert_i32x4(sum[v]));
    }
}
#else
void probe(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns)
{
    static int16_t wide[COLUMNS];
    const uint8_t *w = matrix + 12 * rows;
    (void)columns;
    for (int c = 0; c < COLUMNS; c += 8) wasm_v128_store(wide + c, wasm_u16x8_load8x8(q + c));
    for (int r = 0; r < ROWS; r += 16) {
        v128_t sum[4];
        for (int v = 0; v < 4; v++) sum[v] = wasm_i32x4_const_splat(0);
        for (int c = 0; c < COLUMNS; c += 2, w += 32) {
            const v128_t x = wasm_v128_load32_splat(wide + c);
            for (int v = 0; v < 4; v++)
                sum[v] = wasm_i32x4_add(sum[v], wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(w + 8 * v), x));
        }
        for (int v = 0; v < 4; v++) wasm_v128_store(y + r + 4 * v, wasm_f32x4_convert_i32x4(sum[v]));
    }
}
#endif
