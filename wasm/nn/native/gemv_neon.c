/* Matrix times vector in NEON, which every AArch64 processor has. */
#if defined(__aarch64__)
#define VARIANT neon
#define SORDINO_DOT "../native/dot_neon.h"
#include "../kernels/variant.h"
#endif
