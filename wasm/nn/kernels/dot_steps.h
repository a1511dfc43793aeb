/* Integer dot products, four rows by four columns, in WebAssembly relaxed SIMD, in steps: pairs of products, pairs of
 * pairs, sums. As dot_scalar.h; the activations have 7 bits, so that pairs of products fit 16 bits.
 *
 * On x86 before AVX-VNNI a browser makes five instructions of the operation in dot_relaxed.h; the steps are three. */
#include <stdint.h>
#include <wasm_simd128.h>

#include "numerics.h"

#define DOT_VECTORS 8 /* groups of four rows summed at once */

typedef v128_t dot_sum;
typedef struct {
    const uint8_t *q;
    v128_t ones;
} dot_vector;
typedef struct {
    v128_t q, ones;
} dot_input;

static inline dot_sum dot_zero(void)
{
    return wasm_i32x4_const_splat(0);
}

static inline void dot_prepare(dot_vector *x, const uint8_t *q, int columns)
{
    v128_t ones = wasm_i16x8_const_splat(1);
    (void)columns;
    __asm__("" : "+r"(ones)); /* a constant to the compiler would be made anew for every product */
    *x = (dot_vector){q, ones};
}

static inline dot_input dot_load(const dot_vector *x, int column)
{
    return (dot_input){wasm_v128_load32_splat(x->q + column), x->ones};
}

static inline dot_sum dot_add(dot_sum sum, const int8_t *w, dot_input x)
{
    const v128_t pairs = wasm_i16x8_relaxed_dot_i8x16_i7x16(wasm_v128_load(w), x.q);
    return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(pairs, x.ones));
}

static inline dot_sum dot_join(dot_sum a, dot_sum b)
{
    return wasm_i32x4_add(a, b);
}

static inline i32x4 dot_total(dot_sum sum)
{
    return (i32x4)sum;
}
