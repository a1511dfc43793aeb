/* Integer dot products, four rows by four columns, in AVX-VNNI: one instruction, as
 * dot_scalar.h. */
#include <immintrin.h>
#include <stdint.h>

#include "numerics.h"

#define DOT_VECTORS 8 /* groups of four rows summed at once */

typedef __m128i dot_sum;
typedef struct {
    const uint8_t *q;
} dot_vector;
typedef __m128i dot_input;

static inline dot_sum dot_zero(void)
{
    return _mm_setzero_si128();
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
    return _mm_set1_epi32(four);
}

static inline dot_sum dot_add(dot_sum sum, const int8_t *w, dot_input q)
{
    const __m128i weights = _mm_loadu_si128((const __m128i *)(const void *)w);
    return _mm_dpbusd_avx_epi32(sum, q, weights);
}

static inline dot_sum dot_join(dot_sum a, dot_sum b)
{
    return _mm_add_epi32(a, b);
}

static inline i32x4 dot_total(dot_sum sum)
{
    return (i32x4)sum;
}
