/* Matrix times vector in relaxed SIMD, a dot product in steps: fast where processors have no operation for it. */
#if defined(SORDINO_KERNEL_RELAXED)
#define VARIANT steps
#define SORDINO_DOT "dot_steps.h"
#include "variant.h"
#endif
