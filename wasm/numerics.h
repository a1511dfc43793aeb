/* Elementary float32 arithmetic in four lanes, in the order of operations of the reference: same bits on every machine.
 *
 * Compile with -ffp-contract=off and without -ffast-math. Reference: py/sordino/chain/numerics.py.
 */
#ifndef SORDINO_NUMERICS_H
#define SORDINO_NUMERICS_H

#include <stdint.h>
#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#define LANES 4

typedef float f32x4 __attribute__((vector_size(16)));
typedef int32_t i32x4 __attribute__((vector_size(16)));

static inline f32x4 load4(const float *p)
{
    f32x4 v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}

static inline void store4(float *p, f32x4 v)
{
    __builtin_memcpy(p, &v, sizeof v);
}

static inline f32x4 splat4(float x)
{
    return (f32x4){x, x, x, x};
}

static inline f32x4 reverse4(f32x4 v)
{
    return __builtin_shufflevector(v, v, 3, 2, 1, 0);
}

static inline i32x4 float_bits4(f32x4 v)
{
    i32x4 bits;
    __builtin_memcpy(&bits, &v, sizeof bits);
    return bits;
}

static inline f32x4 bits_float4(i32x4 bits)
{
    f32x4 v;
    __builtin_memcpy(&v, &bits, sizeof v);
    return v;
}

static inline f32x4 select4(i32x4 condition, f32x4 yes, f32x4 no)
{
    return bits_float4((float_bits4(yes) & condition) | (float_bits4(no) & ~condition));
}

/* a < b ? a : b, in one instruction where there is one that says just that. */
static inline f32x4 min4(f32x4 a, f32x4 b)
{
#if defined(__wasm_simd128__)
    return (f32x4)wasm_f32x4_pmin((v128_t)b, (v128_t)a);
#elif defined(__SSE2__)
    return (f32x4)_mm_min_ps((__m128)a, (__m128)b);
#else
    return select4(a < b, a, b);
#endif
}

/* a > b ? a : b */
static inline f32x4 max4(f32x4 a, f32x4 b)
{
#if defined(__wasm_simd128__)
    return (f32x4)wasm_f32x4_pmax((v128_t)b, (v128_t)a);
#elif defined(__SSE2__)
    return (f32x4)_mm_max_ps((__m128)a, (__m128)b);
#else
    return select4(a > b, a, b);
#endif
}

/* The whole part of numbers that an int32 can hold. */
static inline i32x4 whole4(f32x4 x)
{
#if defined(__wasm_relaxed_simd__)
    return (i32x4)wasm_i32x4_relaxed_trunc_f32x4((v128_t)x);
#else
    return __builtin_convertvector(x, i32x4);
#endif
}

static inline f32x4 clamp4(f32x4 x, float low, float high)
{
    return min4(max4(x, splat4(low)), splat4(high));
}

static inline float lane_total(f32x4 v)
{
    return (v[0] + v[1]) + (v[2] + v[3]);
}

static inline float min1(float a, float b)
{
    return a < b ? a : b;
}

static inline float max1(float a, float b)
{
    return a > b ? a : b;
}

static inline float sqrt1(float x)
{
    return __builtin_sqrtf(x);
}

static inline f32x4 sqrt4(f32x4 x)
{
    return (f32x4){sqrt1(x[0]), sqrt1(x[1]), sqrt1(x[2]), sqrt1(x[3])};
}

/* 2^x, x clamped to -126..126, relative error below 3e-7. */
static inline f32x4 exp2_4(f32x4 x)
{
    x = clamp4(x, -126.0f, 126.0f);
    const i32x4 whole = whole4(x + 128.5f) - 128;
    const f32x4 f = x - __builtin_convertvector(whole, f32x4);
    f32x4 series = 0.0096755413f + f * 0.0013276452f;
    series = 0.055507133f + f * series;
    series = 0.2402212f + f * series;
    series = 0.69314697f + f * series;
    series = 1.00000007f + f * series;
    return series * bits_float4((whole + 127) << 23);
}

/* log2 of positive normal numbers, absolute error below 1e-6 + 1 ulp. */
static inline f32x4 log2_4(f32x4 x)
{
    const i32x4 bits = float_bits4(x) - 0x3F3504F3;
    const f32x4 mantissa = bits_float4((bits & 0x007FFFFF) + 0x3F3504F3);
    const f32x4 t = (mantissa - 1.0f) / (mantissa + 1.0f);
    const f32x4 s = t * t;
    f32x4 series = 0.5770780164f + s * 0.4121985831f;
    series = 0.9617966939f + s * series;
    series = 2.8853900818f + s * series;
    return __builtin_convertvector(bits >> 23, f32x4) + t * series;
}

/* 1 / (1 + e^-x), absolute error below 2e-7. */
static inline f32x4 sigmoid4(f32x4 x)
{
    return 1.0f / (1.0f + exp2_4(-(x * 1.4426950408889634f)));
}

/* Hyperbolic tangent as a fraction of polynomials, absolute error below 5e-5. */
static inline f32x4 fast_tanh4(f32x4 x)
{
    x = clamp4(x, -5.0f, 5.0f);
    const f32x4 s = x * x;
    const f32x4 above = 0.99981205f + s * (0.10175257f + s * 6.5578272e-4f);
    return (x * above) / (1.0f + s * (0.43453827f + s * 0.012647828f));
}

/* Logistic function, absolute error below 3e-5. */
static inline f32x4 fast_sigmoid4(f32x4 x)
{
    return 0.5f + 0.5f * fast_tanh4(0.5f * x);
}

/* sin(pi x / 2) for x in 0..1, absolute error below 4e-6. */
static inline f32x4 sine_quarter4(f32x4 x)
{
    const f32x4 s = x * x;
    f32x4 series = -0.0046817541f + s * 0.0001604412f;
    series = 0.0796926262f + s * series;
    series = -0.6459640975f + s * series;
    series = 1.5707963268f + s * series;
    return x * series;
}

#endif
