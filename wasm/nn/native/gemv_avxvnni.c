/* Matrix times vector in AVX-VNNI. */
#if defined(__x86_64__)
#define VARIANT avxvnni
#define VARIANT_TARGET "avx2,avxvnni"
#define SORDINO_DOT "../native/dot_avxvnni.h"
#include "../kernels/variant.h"
#endif
