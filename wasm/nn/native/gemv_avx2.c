/* Matrix times vector in AVX2. */
#if defined(__x86_64__)
#define VARIANT avx2
#define VARIANT_TARGET "avx2"
#define SORDINO_DOT "../native/dot_avx2.h"
#include "../kernels/variant.h"
#endif
