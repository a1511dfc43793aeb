/* Matrix times vector in relaxed SIMD, each dot product one operation: fast where the processor has an instruction for it. */
#if defined(SORDINO_KERNEL_RELAXED)
#define VARIANT fused
#define SORDINO_DOT "dot_relaxed.h"
#include "variant.h"
#endif
