/* Matrix times vector in relaxed SIMD, a dot product in one operation: fast where processors have one for it. */
#if defined(SORDINO_KERNEL_RELAXED)
#define VARIANT fused
#define SORDINO_DOT "dot_relaxed.h"
#include "variant.h"
#endif
