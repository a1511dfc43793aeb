/* Integer dot products, four rows by four columns, in NEON: one instruction, as
 * dot_scalar.h. The activations have 7 bits and so are signed bytes as well. */
#include <arm_neon.h>
#include <stdint.h>

#include "numerics.h"

#define DOT_VECTORS 8 /* groups of four rows summed at once */

typedef int32x4_t dot_sum;
typedef struct {
    const uint8_t *q;
} dot_vector;
typedef int8x16_t dot_input;

static inline dot_sum dot_zero(void)
{
    return vdupq_n_s32(0);
}

static inline void dot_prepare(dot_vector *x, const uint8_t *q, int columns)
{
    (void)columns;
    x->q = q;
}

static inline dot_input dot_load(const dot_vector *x, int column)
{
    int32_t four;
    __builtin_memcpy(&four, x->q + column, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
}

static inline dot_sum dot_add(dot_sum sum, const int8_t *w, dot_input q)
{
    return vdotq_s32(sum, vld1q_s8(w), q);
}

static inline dot_sum dot_join(dot_sum a, dot_sum b)
{
    return vaddq_s32(a, b);
}

static inline i32x4 dot_total(dot_sum sum)
{
    return (i32x4)sum;
}
