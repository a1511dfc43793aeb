/* Matrix times vector in NEON's dot product instruction. */
#if defined(__aarch64__)
#define VARIANT dotprod
#if defined(__clang__)
#define VARIANT_TARGET "dotprod"
#else
#define VARIANT_TARGET "+dotprod"
#endif
#define SORDINO_DOT "../native/dot_dotprod.h"
#include "../kernels/variant.h"
#endif
