/* Integer dot products, four rows by four columns, in WebAssembly relaxed SIMD: one instruction, as dot_scalar.h.
 * The activations have 7 bits, so that the instruction has only one possible result. */
#include <stdint.h>
#include <wasm_simd128.h>

#include "numerics.h"

#define DOT_VECTORS 8 /* groups of four rows summed at once */

typedef v128_t dot_sum;
typedef struct {
    const uint8_t *q;
} dot_vector;
typedef v128_t dot_input;

static inline dot_sum dot_zero(void)
{
    return wasm_i32x4_const_splat(0);
}

static inline void dot_prepare(dot_vector *x, const uint8_t *q, int columns)
{
    (void)columns;
    x->q = q;
}

static inline dot_input dot_load(const dot_vector *x, int column)
{
    return wasm_v128_load32_splat(x->q + column);
}

static inline dot_sum dot_add(dot_sum sum, const int8_t *w, dot_input q)
{
    return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_load(w), q, sum);
}

static inline dot_sum dot_join(dot_sum a, dot_sum b)
{
    return wasm_i32x4_add(a, b);
}

static inline i32x4 dot_total(dot_sum sum)
{
    return (i32x4)sum;
}
