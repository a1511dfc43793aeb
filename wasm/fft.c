/* The transform of stages stft and synthesis: mixed radix, WINDOW / 2 packed points. Reference: py/sordino/chain/fft.py. */
#include "fft.h"

#include "gen/tables.h"
#include "numerics.h"

#define INLINE static inline __attribute__((always_inline))

typedef struct {
    f32x4 re, im;
} complex4;

INLINE complex4 add(complex4 a, complex4 b)
{
    return (complex4){a.re + b.re, a.im + b.im};
}

INLINE complex4 subtract(complex4 a, complex4 b)
{
    return (complex4){a.re - b.re, a.im - b.im};
}

INLINE complex4 multiply(complex4 a, complex4 b)
{
    return (complex4){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

INLINE complex4 scale(complex4 a, float factor)
{
    return (complex4){a.re * factor, a.im * factor};
}

/* Multiply by -i. */
INLINE complex4 turn(complex4 a)
{
    return (complex4){a.im, -a.re};
}

INLINE void butterfly_2(complex4 *a)
{
    const complex4 sum = add(a[0], a[1]);
    a[1] = subtract(a[0], a[1]);
    a[0] = sum;
}

INLINE void butterfly_3(complex4 *a)
{
    const complex4 s = add(a[1], a[2]), d = subtract(a[1], a[2]);
    const complex4 middle = subtract(a[0], scale(s, 0.5f)), side = scale(turn(d), FFT_SIN_60);
    a[0] = add(a[0], s);
    a[1] = add(middle, side);
    a[2] = subtract(middle, side);
}

INLINE void butterfly_4(complex4 *a)
{
    const complex4 s = add(a[0], a[2]), d = subtract(a[0], a[2]);
    const complex4 t = add(a[1], a[3]), u = turn(subtract(a[1], a[3]));
    a[0] = add(s, t);
    a[1] = add(d, u);
    a[2] = subtract(s, t);
    a[3] = subtract(d, u);
}

INLINE void butterfly_5(complex4 *a)
{
    const complex4 p = add(a[1], a[4]), m = turn(subtract(a[1], a[4]));
    const complex4 q = add(a[2], a[3]), n = turn(subtract(a[2], a[3]));
    const complex4 near = add(add(a[0], scale(p, FFT_COS_72)), scale(q, FFT_COS_144));
    const complex4 far = add(add(a[0], scale(p, FFT_COS_144)), scale(q, FFT_COS_72));
    const complex4 near_side = add(scale(m, FFT_SIN_72), scale(n, FFT_SIN_144));
    const complex4 far_side = subtract(scale(m, FFT_SIN_144), scale(n, FFT_SIN_72));
    a[0] = add(add(a[0], p), q);
    a[1] = add(near, near_side);
    a[2] = add(far, far_side);
    a[3] = subtract(far, far_side);
    a[4] = subtract(near, near_side);
}

INLINE void butterfly(complex4 *a, int radix)
{
    if (radix == 2) butterfly_2(a);
    if (radix == 3) butterfly_3(a);
    if (radix == 4) butterfly_4(a);
    if (radix == 5) butterfly_5(a);
}

/* First pass (stride 1): four neighbouring columns at once, transposed when stored. The radix is 4. */
INLINE void first_pass(float *y_re, float *y_im, const float *x_re, const float *x_im, const float *w_re, const float *w_im)
{
    const int m = HALF / 4;
    for (int p = 0; p < m; p += LANES) {
        complex4 a[4];
        for (int k = 0; k < 4; k++) a[k] = (complex4){load4(x_re + m * k + p), load4(x_im + m * k + p)};
        butterfly_4(a);
        for (int k = 1; k < 4; k++) a[k] = multiply(a[k], (complex4){load4(w_re + m * k + p), load4(w_im + m * k + p)});
        for (int lane = 0; lane < LANES; lane++) {
            store4(y_re + 4 * (p + lane), (f32x4){a[0].re[lane], a[1].re[lane], a[2].re[lane], a[3].re[lane]});
            store4(y_im + 4 * (p + lane), (f32x4){a[0].im[lane], a[1].im[lane], a[2].im[lane], a[3].im[lane]});
        }
    }
}

/* A later pass: n = radix * m points, `stride` (a multiple of 4) transforms side by side. */
INLINE void later_pass(float *y_re, float *y_im, const float *x_re, const float *x_im, const float *w_re, const float *w_im,
                       int radix, int m, int stride)
{
    for (int p = 0; p < m; p++) {
        for (int q = 0; q < stride; q += LANES) {
            complex4 a[5];
            for (int k = 0; k < radix; k++) {
                const int at = q + stride * (p + m * k);
                a[k] = (complex4){load4(x_re + at), load4(x_im + at)};
            }
            butterfly(a, radix);
            for (int k = 0; k < radix; k++) {
                const int at = q + stride * (radix * p + k);
                if (m > 1 && k > 0) a[k] = multiply(a[k], (complex4){splat4(w_re[m * k + p]), splat4(w_im[m * k + p])});
                store4(y_re + at, a[k].re);
                store4(y_im + at, a[k].im);
            }
        }
    }
}

/* Forward transform of HALF complex points. y, x [HALF]; x is overwritten. */
static void complex_transform(float *y_re, float *y_im, float *x_re, float *x_im)
{
    first_pass(y_re, y_im, x_re, x_im, fft_twiddle_0_re, fft_twiddle_0_im);
    later_pass(x_re, x_im, y_re, y_im, fft_twiddle_1_re, fft_twiddle_1_im, 4, 30, 4);
    later_pass(y_re, y_im, x_re, x_im, fft_twiddle_2_re, fft_twiddle_2_im, 5, 6, 16);
    later_pass(x_re, x_im, y_re, y_im, fft_twiddle_3_re, fft_twiddle_3_im, 3, 2, 80);
    later_pass(y_re, y_im, x_re, x_im, fft_twiddle_4_re, fft_twiddle_4_im, 2, 1, 240);
}

/* Half spectrum of WINDOW real samples from the transform a of the packed samples. */
static void unpack(float *re, float *im, const float *a_re, const float *a_im)
{
    re[0] = a_re[0] + a_im[0];
    im[0] = 0.0f;
    re[HALF] = a_re[0] - a_im[0];
    im[HALF] = 0.0f;
    for (int k = 1; k <= HALF / 2; k += LANES) {
        const int mirror = HALF - k - (LANES - 1);
        const f32x4 a = load4(a_re + k), b = load4(a_im + k);
        const f32x4 c = reverse4(load4(a_re + mirror)), d = reverse4(load4(a_im + mirror));
        const complex4 even = {(a + c) * 0.5f, (b - d) * 0.5f}, odd = {(b + d) * 0.5f, (c - a) * 0.5f};
        const complex4 turned = multiply(odd, (complex4){load4(real_twiddle_re + k), load4(real_twiddle_im + k)});
        store4(re + mirror, reverse4(even.re - turned.re));
        store4(im + mirror, reverse4(turned.im - even.im));
        store4(re + k, even.re + turned.re);
        store4(im + k, even.im + turned.im);
    }
}

/* The way back: packed spectrum z of a half spectrum. */
static void pack(float *z_re, float *z_im, const float *re, const float *im)
{
    z_re[0] = (re[0] + re[HALF]) * 0.5f;
    z_im[0] = (re[0] - re[HALF]) * 0.5f;
    for (int k = 1; k <= HALF / 2; k += LANES) {
        const int mirror = HALF - k - (LANES - 1);
        const f32x4 a = load4(re + k), b = load4(im + k);
        const f32x4 c = reverse4(load4(re + mirror)), d = reverse4(load4(im + mirror));
        const complex4 even = {(a + c) * 0.5f, (b - d) * 0.5f}, difference = {(a - c) * 0.5f, (b + d) * 0.5f};
        const complex4 odd = multiply(difference, (complex4){load4(real_twiddle_re + k), -load4(real_twiddle_im + k)});
        store4(z_re + mirror, reverse4(even.re + odd.im));
        store4(z_im + mirror, reverse4(odd.re - even.im));
        store4(z_re + k, even.re - odd.im);
        store4(z_im + k, even.im + odd.re);
    }
}

void sordino_real_transform(float *re, float *im, float *x_re, float *x_im)
{
    float y_re[HALF], y_im[HALF];
    complex_transform(y_re, y_im, x_re, x_im);
    unpack(re, im, y_re, y_im);
}

void sordino_inverse_real_transform(float *x_re, float *x_im, const float *re, const float *im)
{
    float z_re[HALF], z_im[HALF];
    pack(z_re, z_im, re, im);
    complex_transform(x_im, x_re, z_im, z_re);
}
