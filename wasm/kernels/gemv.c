/* Matrix times vector as the networks call it: kernels/gemv.h with the build's own dot product, or in the native build
 * whatever the processor does best. */
#include "gemv.h"

#include "../network.h"

#if defined(SORDINO_KERNEL_DISPATCH)
#include "../native/gemv.h"
#define DENSE sordino_gemv
#else
#define DENSE gemv
#endif

void sordino_dense(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns)
{
    DENSE(y, matrix, q, rows, columns);
}

void sordino_sparse(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns, int32_t blocks)
{
    gemv_sparse(y, matrix, q, rows, columns, blocks);
}

int32_t sordino_sparse_valid(const uint8_t *matrix, int32_t rows, int32_t columns, int32_t blocks)
{
    return sparse_valid(matrix, rows, columns, blocks);
}
