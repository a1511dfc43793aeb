/* Matrix times vector in AVX-512 VNNI, 128 bits wide. */
#if defined(__x86_64__)
#define VARIANT avx512vnni
#define VARIANT_TARGET "avx512vl,avx512vnni"
#define SORDINO_DOT "../native/dot_avx512vnni.h"
#include "../kernels/variant.h"
#endif
