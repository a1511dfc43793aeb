/* Integer dot products, four rows by four columns, in plain C: the definition of what the SIMD builds compute. */
#include <stdint.h>

#include "../numerics.h"

#define DOT_VECTORS 8 /* groups of four rows summed at once */

typedef i32x4 dot_sum;
typedef const uint8_t *dot_input;

static inline dot_sum dot_zero(void)
{
    return (i32x4){0, 0, 0, 0};
}

/* The four activations of a column group. */
static inline dot_input dot_load(const uint8_t *q)
{
    return q;
}

/* Add weights [4 rows][4 columns] times the activations. */
static inline dot_sum dot_add(dot_sum sum, const int8_t *w, dot_input q)
{
    for (int row = 0; row < 4; row++)
        sum[row] += w[4 * row] * q[0] + w[4 * row + 1] * q[1] + w[4 * row + 2] * q[2] + w[4 * row + 3] * q[3];
    return sum;
}

/* The sums of the four rows. */
static inline i32x4 dot_total(dot_sum sum)
{
    return sum;
}
