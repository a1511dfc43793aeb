/* Integer dot products, four rows by four columns, in AVX2, as dot_scalar.h. The
 * activations have 7 bits, so that two products (2 * 127 * 128 at most) fit the 16 bits they are summed in. */
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
    return _mm_add_epi32(sum, _mm_madd_epi16(_mm_maddubs_epi16(q, weights), _mm_set1_epi16(1)));
}

static inline dot_sum dot_join(dot_sum a, dot_sum b)
{
    return _mm_add_epi32(a, b);
}

static inline i32x4 dot_total(dot_sum sum)
{
    return (i32x4)sum;
}
