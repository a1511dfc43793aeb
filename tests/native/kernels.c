/* Every usable dot product of this build against plain C, on random and extreme data. Prints the names of the kernels that
 * agree; the exit status is the number of those that do not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/native/gemv.h"
#include "nn/network.h"
#include "stages.h"

static const int sizes[][2] = {{16, 4}, {32, 72}, {64, 12}, {96, 640}, {768, 256}, {64, 1024}};

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

/* A matrix as nn/kernels/gemv.h describes it. */
static uint8_t *matrix(int rows, int columns, int extreme)
{
    const size_t weights = (size_t)rows * (size_t)columns;
    uint8_t *bytes = aligned_alloc(64, (12u * (size_t)rows + weights + 63) / 64 * 64);
    float *scale = (float *)(void *)bytes;
    int32_t *offset = (int32_t *)(void *)(scale + 2 * rows);
    for (int i = 0; i < 2 * rows; i++) scale[i] = (float)(draw() % 10000) * 1e-6f;
    for (int i = 0; i < rows; i++) offset[i] = (int32_t)(draw() % 200000) - 100000;
    int8_t *w = (int8_t *)(void *)(offset + rows);
    for (size_t i = 0; i < weights; i++) w[i] = weight(extreme);
    return bytes;
}

/* One vector after the other by plain C, then by the kernel, then all together by the kernel. */
static int differs(const sordino_kernel *kernel, int rows, int columns, int extreme)
{
    float wanted[SORDINO_TOGETHER][1024], got[SORDINO_TOGETHER][1024];
    uint8_t q[SORDINO_TOGETHER][1024], *m = matrix(rows, columns, extreme);
    const uint8_t *vectors[SORDINO_TOGETHER];
    int wrong = 0;
    for (int k = 0; k < SORDINO_TOGETHER; k++) {
        vectors[k] = q[k];
        for (int i = 0; i < columns; i++) q[k][i] = extreme ? 127 : (uint8_t)(1 + draw() % 127);
        sordino_dense_scalar(wanted[k], m, q[k], rows, columns);
        kernel->dense(got[k], m, q[k], rows, columns);
        wrong += memcmp(wanted[k], got[k], (size_t)rows * sizeof(float)) != 0;
    }
    memset(got, 0, sizeof got);
    kernel->dense_together(got[0], 1024, m, vectors, rows, columns);
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
                for (int trial = 0; trial < 4; trial++)
                    differing += differs(&kernels[k], sizes[s][0], sizes[s][1], extreme);
        if (differing)
            fprintf(stderr, "%s: %d trials differ\n", kernels[k].name, differing);
        else
            printf("%s\n", kernels[k].name);
        wrong += differing != 0;
    }
    const char *chosen = sordino_choose_kernel(0);
    return wrong + (chosen == 0);
}
