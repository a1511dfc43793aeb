/* Integer dot products, four rows by four columns, in plain C: the definition of what the SIMD builds compute. */
#include <stdint.h>

#include "numerics.h"

#define DOT_VECTORS 8 /* groups of four rows summed at once */

typedef i32x4 dot_sum;
typedef struct {
    const uint8_t *q;
} dot_vector;
typedef const uint8_t *dot_input;

static inline dot_sum dot_zero(void)
{
    return (i32x4){0, 0, 0, 0};
}

/* The activations q [columns] in the form that suits the instruction set; q outlives it. */
static inline void dot_prepare(dot_vector *x, const uint8_t *q, int columns)
{
    (void)columns;
    x->q = q;
}

/* The four activations from a column on. */
static inline dot_input dot_load(const dot_vector *x, int column)
{
    return x->q + column;
}

/* Add weights [4 rows][4 columns] times the activations. */
static inline dot_sum dot_add(dot_sum sum, const int8_t *w, dot_input q)
{
    for (int row = 0; row < 4; row++)
        sum[row] += w[4 * row] * q[0] + w[4 * row + 1] * q[1] + w[4 * row + 2] * q[2] + w[4 * row + 3] * q[3];
    return sum;
}

static inline dot_sum dot_join(dot_sum a, dot_sum b)
{
    return a + b;
}

/* The sums of the four rows. */
static inline i32x4 dot_total(dot_sum sum)
{
    return sum;
}
