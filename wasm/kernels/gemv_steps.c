/* Matrix times vector in relaxed SIMD, each dot product in steps: fast where the processor has no instruction for it. */
#if defined(SORDINO_KERNEL_RELAXED)
#define VARIANT steps
#define SORDINO_DOT "dot_steps.h"
#include "variant.h"
#endif
