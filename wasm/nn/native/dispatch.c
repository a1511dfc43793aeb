/* Choose the native build's matrix times vector by what the processor can do, and by whether it computes it right. */
#include <string.h>

#include "../network.h"
#include "gemv.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#define KERNEL(name, usable) {#name, sordino_dense_##name, sordino_dense_together_##name, usable}

static const sordino_kernel plain = KERNEL(scalar, 1);
static const sordino_kernel *in_use = &plain;

void sordino_dense(float *y, const uint8_t *matrix, const uint8_t *q, int32_t rows, int32_t columns)
{
    in_use->dense(y, matrix, q, rows, columns);
}

void sordino_dense_together(float *y, int32_t stride, const uint8_t *matrix, const uint8_t *const *q, int32_t rows,
                            int32_t columns)
{
    in_use->dense_together(y, stride, matrix, q, rows, columns);
}

#if defined(__x86_64__)
enum {
    LEAF1_ECX_OSXSAVE = 1 << 27,
    LEAF7_EBX_AVX2 = 1 << 5,
    LEAF7_EBX_AVX512F = 1 << 16,
    LEAF7_EBX_AVX512VL = 1 << 31,
    LEAF7_ECX_AVX512VNNI = 1 << 11,
    LEAF7_SUB1_EAX_AVXVNNI = 1 << 4,
    XCR0_AVX = 0x06,    /* the system saves XMM and YMM */
    XCR0_AVX512 = 0xe6, /* and the mask and ZMM registers */
};

static uint32_t saved_registers(void)
{
    uint32_t eax, edx;
    __asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
    return eax;
}

/* Bits of CPUID leaf 7 as this system lets them be used; all 0 without AVX. */
static void usable_features(uint32_t *ebx, uint32_t *ecx, uint32_t *sub1_eax)
{
    uint32_t a, b, c, d, subleaves;
    *ebx = *ecx = *sub1_eax = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (uint32_t)LEAF1_ECX_OSXSAVE)) return;
    const uint32_t saved = saved_registers();
    if ((saved & XCR0_AVX) != XCR0_AVX || !__get_cpuid_count(7, 0, &subleaves, ebx, ecx, &d)) return;
    if (subleaves >= 1) __get_cpuid_count(7, 1, sub1_eax, &b, &c, &d);
    if ((saved & XCR0_AVX512) != XCR0_AVX512) *ebx &= ~((uint32_t)LEAF7_EBX_AVX512F | (uint32_t)LEAF7_EBX_AVX512VL);
}
#endif

const sordino_kernel *sordino_kernels(int32_t *count)
{
#if defined(__x86_64__)
    uint32_t ebx, ecx, sub1_eax;
    usable_features(&ebx, &ecx, &sub1_eax);
    const uint32_t wide = (uint32_t)LEAF7_EBX_AVX2 | (uint32_t)LEAF7_EBX_AVX512F | (uint32_t)LEAF7_EBX_AVX512VL;
    const int32_t avx2 = (ebx & LEAF7_EBX_AVX2) != 0;
    static sordino_kernel kernels[] = {
        KERNEL(avx512vnni, 0),
        KERNEL(avxvnni, 0),
        KERNEL(avx2, 0),
        KERNEL(scalar, 1),
    };
    kernels[0].usable = (ebx & wide) == wide && (ecx & LEAF7_ECX_AVX512VNNI);
    kernels[1].usable = avx2 && (sub1_eax & LEAF7_SUB1_EAX_AVXVNNI);
    kernels[2].usable = avx2;
#elif defined(__aarch64__)
    static sordino_kernel kernels[] = {
        KERNEL(dotprod, 0),
        KERNEL(neon, 1),
        KERNEL(scalar, 1),
    };
#if defined(__APPLE__)
    kernels[0].usable = 1;
#elif defined(__linux__)
    kernels[0].usable = (getauxval(AT_HWCAP) >> 20) & 1; /* HWCAP_ASIMDDP */
#endif
#else
    static sordino_kernel kernels[] = {KERNEL(scalar, 1)};
#endif
    *count = (int32_t)(sizeof kernels / sizeof kernels[0]);
    return kernels;
}

#define TRIAL_ROWS 32
#define TRIAL_COLUMNS 12

/* Whether a kernel gives plain C's bytes for extreme weights and activations. */
static int32_t agrees(sordino_dense_function *dense)
{
    struct {
        float scale[TRIAL_ROWS], bias[TRIAL_ROWS];
        int32_t offset[TRIAL_ROWS];
        int8_t weights[TRIAL_ROWS * TRIAL_COLUMNS];
    } matrix;
    uint8_t q[TRIAL_COLUMNS];
    float wanted[TRIAL_ROWS], got[TRIAL_ROWS];
    for (int i = 0; i < TRIAL_ROWS; i++) {
        matrix.scale[i] = 1.0f / (float)(3 + i);
        matrix.bias[i] = 1.0f / (float)(7 - 2 * i);
        matrix.offset[i] = 4099 * i - 65537;
    }
    for (int i = 0; i < TRIAL_ROWS * TRIAL_COLUMNS; i++)
        matrix.weights[i] = (int8_t)(i % 5 == 0 ? WEIGHT_MAX : i % 3 == 0 ? -WEIGHT_MAX : 37 * i % 255 - WEIGHT_MAX);
    for (int i = 0; i < TRIAL_COLUMNS; i++) q[i] = (uint8_t)(i % 2 ? 2 * ACTIVATION_SCALE + 1 : 1 + 11 * i);
    sordino_dense_scalar(wanted, (const uint8_t *)&matrix, q, TRIAL_ROWS, TRIAL_COLUMNS);
    dense(got, (const uint8_t *)&matrix, q, TRIAL_ROWS, TRIAL_COLUMNS);
    return memcmp(wanted, got, sizeof wanted) == 0;
}

const char *sordino_choose_kernel(const char *name)
{
    int32_t count;
    const sordino_kernel *kernels = sordino_kernels(&count);
    for (int32_t i = 0; i < count; i++) {
        const sordino_kernel *kernel = &kernels[i];
        if ((name && strcmp(name, kernel->name) != 0) || !kernel->usable || !agrees(kernel->dense)) continue;
        in_use = kernel;
        return kernel->name;
    }
    return 0;
}
