/* Every usable dot product of this build against plain C, dense and sparse, on random and extreme data. Prints the names
 * of the kernels that agree; the exit status is the number of those that do not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/native/gemv.h"
#include "nn/network.h"
#include "stages.h"

#define COLUMN_GROUP 4
#define STRIP_ROWS 8

static const int sizes[][2] = {{32, 4}, {32, 72}, {64, 12}, {96, 640}, {768, 256}, {64, 1024}};

static uint32_t state = 1;

static uint32_t draw(void)
{
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}

static int8_t weight(int extreme)
{
    return extreme ? (draw() % 2 ? 127 : -127) : (int8_t)(draw() % 255 - 127);
}

/* A matrix as nn/kernels/gemv.h describes it; blocks < 0: dense. */
static uint8_t *matrix(int rows, int columns, int blocks, int extreme)
{
    const int strips = rows / STRIP_ROWS, per_strip = blocks / strips;
    const size_t weights = blocks < 0 ? (size_t)rows * (size_t)columns : (size_t)blocks * STRIP_ROWS * COLUMN_GROUP;
    const size_t lists = blocks < 0 ? 0 : (size_t)((strips + 7) / 8 * 8 + (blocks + 7) / 8 * 8) * 2;
    uint8_t *bytes = aligned_alloc(64, (12u * (size_t)rows + lists + weights + 63) / 64 * 64);
    float *scale = (float *)(void *)bytes;
    int32_t *offset = (int32_t *)(void *)(scale + 2 * rows);
    for (int i = 0; i < 2 * rows; i++) scale[i] = (float)(draw() % 10000) * 1e-6f;
    for (int i = 0; i < rows; i++) offset[i] = (int32_t)(draw() % 200000) - 100000;
    uint16_t *count = (uint16_t *)(void *)(offset + rows), *column = count + (strips + 7) / 8 * 8;
    for (int i = 0; blocks >= 0 && i < strips; i++) count[i] = (uint16_t)per_strip;
    for (int i = 0; i < blocks; i++) column[i] = (uint16_t)(draw() % (uint32_t)(columns / COLUMN_GROUP) * COLUMN_GROUP);
    int8_t *w = (int8_t *)(void *)(bytes + 12 * rows + lists);
    for (size_t i = 0; i < weights; i++) w[i] = weight(extreme);
    return bytes;
}

/* One vector after the other by plain C, then by the kernel, then all together by the kernel. */
static int differs(const sordino_kernel *kernel, int rows, int columns, int blocks, int extreme)
{
    float wanted[SORDINO_TOGETHER][1024], got[SORDINO_TOGETHER][1024];
    uint8_t q[SORDINO_TOGETHER][1024], *m = matrix(rows, columns, blocks, extreme);
    const uint8_t *vectors[SORDINO_TOGETHER];
    int wrong = 0;
    for (int k = 0; k < SORDINO_TOGETHER; k++) {
        vectors[k] = q[k];
        for (int i = 0; i < columns; i++) q[k][i] = extreme ? 127 : (uint8_t)(1 + draw() % 127);
        if (blocks < 0) {
            sordino_dense_scalar(wanted[k], m, q[k], rows, columns);
            kernel->dense(got[k], m, q[k], rows, columns);
        } else {
            sordino_sparse_scalar(wanted[k], m, q[k], rows, columns, blocks);
            kernel->sparse(got[k], m, q[k], rows, columns, blocks);
        }
        wrong += memcmp(wanted[k], got[k], (size_t)rows * sizeof(float)) != 0;
    }
    memset(got, 0, sizeof got);
    if (blocks < 0)
        kernel->dense_together(got[0], 1024, m, vectors, rows, columns);
    else
        kernel->sparse_together(got[0], 1024, m, vectors, rows, columns, blocks);
    for (int k = 0; k < SORDINO_TOGETHER; k++) wrong += memcmp(wanted[k], got[k], (size_t)rows * sizeof(float)) != 0;
    free(m);
    return wrong;
}

int main(void)
{
    int32_t count;
    int wrong = 0;
    const sordino_kernel *kernels = sordino_kernels(&count);
    for (int k = 0; k < count; k++) {
        int differing = 0;
        if (!kernels[k].usable) continue;
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++)
            for (int extreme = 0; extreme < 2; extreme++)
                for (int share = -1; share < 4; share++) {
                    const int rows = sizes[s][0], columns = sizes[s][1];
                    differing += differs(&kernels[k], rows, columns, share < 0 ? -1 : rows / STRIP_ROWS * share, extreme);
                }
        if (differing)
            fprintf(stderr, "%s: %d trials differ\n", kernels[k].name, differing);
        else
            printf("%s\n", kernels[k].name);
        wrong += differing != 0;
    }
    const char *chosen = sordino_choose_kernel(0);
    return wrong + (chosen == 0);
}
