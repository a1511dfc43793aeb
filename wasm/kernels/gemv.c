/* Matrix times vector as the networks call it: kernels/gemv.h with the build's own dot product. The native build has
 * several and chooses when it runs: native/dispatch.c. */
#include "gemv.h"

#include "../network.h"

#if !defined(SORDINO_KERNEL_DISPATCH)
void sordino_dense(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns)
{
    gemv(y, matrix, q, rows, columns);
}

void sordino_sparse(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns, int32_t blocks)
{
    gemv_sparse(y, matrix, q, rows, columns, blocks);
}

void sordino_dense_together(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q, int32_t rows,
                            int32_t columns)
{
    gemm(y, stride, matrix, q, rows, columns);
}

void sordino_sparse_together(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q, int32_t rows,
                             int32_t columns, int32_t blocks)
{
    gemm_sparse(y, stride, matrix, q, rows, columns, blocks);
}
#endif

int32_t sordino_sparse_valid(const uint8_t *matrix, int32_t rows, int32_t columns, int32_t blocks)
{
    return sparse_valid(matrix, rows, columns, blocks);
}
