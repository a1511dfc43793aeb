/* Integer dot products, four rows by four columns, in WebAssembly SIMD128: products of 16-bit pairs, as dot_scalar.h.
 * Weights are widened while they are loaded, activations once per vector. */
#include <stdint.h>
#include <wasm_simd128.h>

#include "numerics.h"

#define DOT_VECTORS 4 /* groups of four rows summed at once; each takes two registers */

typedef struct {
    v128_t low, high; /* rows 0, 0, 1, 1 and rows 2, 2, 3, 3: even and odd column pairs */
} dot_sum;
typedef struct {
    int16_t q[SORDINO_NETWORK_COLUMNS];
} dot_vector;
typedef v128_t dot_input;

static inline dot_sum dot_zero(void)
{
    return (dot_sum){wasm_i32x4_const_splat(0), wasm_i32x4_const_splat(0)};
}

static inline void dot_prepare(dot_vector *x, const uint8_t *q, int columns)
{
    for (int c = 0; c < columns; c += 4)
        wasm_v128_store64_lane(x->q + c, wasm_u16x8_extend_low_u8x16(wasm_v128_load32_zero(q + c)), 0);
}

static inline dot_input dot_load(const dot_vector *x, int column)
{
    return wasm_v128_load64_splat(x->q + column);
}

static inline dot_sum dot_add(dot_sum sum, const int8_t *w, dot_input q)
{
    sum.low = wasm_i32x4_add(sum.low, wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(w), q));
    sum.high = wasm_i32x4_add(sum.high, wasm_i32x4_dot_i16x8(wasm_i16x8_load8x8(w + 8), q));
    return sum;
}

static inline dot_sum dot_join(dot_sum a, dot_sum b)
{
    return (dot_sum){wasm_i32x4_add(a.low, b.low), wasm_i32x4_add(a.high, b.high)};
}

static inline i32x4 dot_total(dot_sum sum)
{
    return (i32x4)wasm_i32x4_add(wasm_i32x4_shuffle(sum.low, sum.high, 0, 2, 4, 6),
                                 wasm_i32x4_shuffle(sum.low, sum.high, 1, 3, 5, 7));
}
