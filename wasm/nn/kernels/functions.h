/* The types of matrix times vector, where a build has several of them: contracts of sordino_dense and
 * sordino_dense_together in network.h. All compute the same integer sums exactly and round the same float operations, so
 * they give the same bytes. */
#ifndef SORDINO_KERNEL_FUNCTIONS_H
#define SORDINO_KERNEL_FUNCTIONS_H

#include <stdint.h>

typedef void sordino_dense_function(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns);
typedef void sordino_dense_together_function(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q,
                                             int32_t rows, int32_t columns);

/* The functions that variant.h defines. */
#define SORDINO_DECLARE_KERNEL(name) \
    sordino_dense_function sordino_dense_##name; \
    sordino_dense_together_function sordino_dense_together_##name

#endif
