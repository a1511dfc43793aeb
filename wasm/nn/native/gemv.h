/* The native build's matrix times vector: the template nn/kernels/gemv.h once per instruction set, chosen when the program
 * runs. */
#ifndef SORDINO_NATIVE_GEMV_H
#define SORDINO_NATIVE_GEMV_H

#include <stdint.h>

#include "../kernels/functions.h"

#ifdef __cplusplus
extern "C" {
#endif

/* name           of the instruction set
 * dense, ...     what runs
 * usable         whether this processor, and the system it runs under, have the instructions: 1 or 0
 */
typedef struct {
    const char *name;
    sordino_dense_function *dense;
    sordino_dense_together_function *dense_together;
    int32_t usable;
} sordino_kernel;

/* All kernels of this build, the fastest first, plain C last; count [1] gets their number. */
const sordino_kernel *sordino_kernels(int32_t *count);

/* Use the kernel of this name, or for a null pointer the first one that is usable and agrees with plain C on a trial.
 * Before the first call plain C is in use. Not while a stream is being processed.
 * Returns the name of the kernel now in use, or a null pointer (and changes nothing) if there is no such usable kernel. */
const char *sordino_choose_kernel(const char *name);

SORDINO_DECLARE_KERNEL(scalar);
SORDINO_DECLARE_KERNEL(avx2);
SORDINO_DECLARE_KERNEL(avxvnni);
SORDINO_DECLARE_KERNEL(avx512vnni);
SORDINO_DECLARE_KERNEL(neon);
SORDINO_DECLARE_KERNEL(dotprod);

#ifdef __cplusplus
}
#endif
#endif
