/* The types of matrix times vector, where a build has several of them: contracts of sordino_dense, sordino_sparse and
 * their twins for several vectors in network.h. All compute the same integer sums exactly and round the same float
 * operations, so they give the same bytes. */
#ifndef SORDINO_KERNEL_FUNCTIONS_H
#define SORDINO_KERNEL_FUNCTIONS_H

#include <stdint.h>

typedef void sordino_dense_function(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns);
typedef void sordino_sparse_function(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns,
                                     int32_t blocks);
typedef void sordino_dense_together_function(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q,
                                             int32_t rows, int32_t columns);
typedef void sordino_sparse_together_function(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q,
                                              int32_t rows, int32_t columns, int32_t blocks);

/* The functions that variant.h defines. */
#define SORDINO_DECLARE_KERNEL(name) \
    sordino_dense_function sordino_dense_##name; \
    sordino_sparse_function sordino_sparse_##name; \
    sordino_dense_together_function sordino_dense_together_##name; \
    sordino_sparse_together_function sordino_sparse_together_##name

#endif
