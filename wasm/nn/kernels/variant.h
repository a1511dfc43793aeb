/* nn/kernels/gemv.h for one instruction set. To be included once by a file that has defined
 *
 *   VARIANT         name of the instruction set
 *   VARIANT_TARGET  what the compiler calls it, as a string; undefined: nothing beyond the baseline
 *   SORDINO_DOT     the header with its dot product, as an include path from kernels/
 */
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif
#include <stdint.h>

#include "../network.h"
#include "functions.h"

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define PRAGMA_(text) _Pragma(#text)
#define PRAGMA(text) PRAGMA_(text)

#if defined(VARIANT_TARGET) && defined(__clang__)
PRAGMA(clang attribute push(__attribute__((target(VARIANT_TARGET))), apply_to = function))
#elif defined(VARIANT_TARGET)
#pragma GCC push_options
PRAGMA(GCC target(VARIANT_TARGET))
#endif

#include "gemv.h"

void PASTE(sordino_dense_, VARIANT)(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns)
{
    gemv(y, matrix, q, rows, columns);
}

void PASTE(sordino_dense_together_, VARIANT)(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q,
                                             int32_t rows, int32_t columns)
{
    gemm(y, stride, matrix, q, rows, columns);
}

#if defined(VARIANT_TARGET) && defined(__clang__)
#pragma clang attribute pop
#elif defined(VARIANT_TARGET)
#pragma GCC pop_options
#endif
