/* Matrix times vector in plain C, for any processor. */
#define VARIANT scalar
#define SORDINO_DOT "dot_scalar.h"
#include "../kernels/variant.h"
