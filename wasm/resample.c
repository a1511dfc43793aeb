/* Sample rate conversion: polyphase windowed sinc, the filter computed here in double precision.
 * Reference: py/sordino/chain/resample.py. */
#include "gen/params.h"
#include "numerics.h"
#include "sordino.h"

#define RATE_MIN 1000
#define RATE_MAX 768000
#define CHANNELS_MAX 8

_Static_assert(RESAMPLE_HALF == SORDINO_RESAMPLER_HALF, "the header says what params.py says");

/* up, down  the ratio of the rates, reduced; the input moves on by down / up samples per output sample
 * phases    rows of the filter, one more stands behind them for the interpolation
 * taps      length of a row, a multiple of LANES
 * at, rest  next output sample: newest input sample it hears, relative to the next block, and rest / up of a sample */
struct sordino_resampler {
    uint32_t up, down, phases, taps, channels, at, rest, unused;
    _Alignas(16) float memory[]; /* filter [phases + 1][taps], then past and block [channels][taps + BLOCK] */
};

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        const uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Input samples on each side of the filter's centre. */
static double half_width(uint32_t in_hz, uint32_t out_hz)
{
    return in_hz > out_hz ? (double)RESAMPLE_HALF * (double)in_hz / (double)out_hz : (double)RESAMPLE_HALF;
}

static uint32_t tap_count(uint32_t in_hz, uint32_t out_hz, double delay)
{
    return ((uint32_t)(delay + half_width(in_hz, out_hz)) + 2 + LANES - 1) / LANES * LANES;
}

static uint32_t phase_count(uint32_t in_hz, uint32_t out_hz)
{
    const uint32_t up = out_hz / common_divisor(in_hz, out_hz);
    return up < RESAMPLE_PHASES_MAX ? up : RESAMPLE_PHASES_MAX;
}

static float *past_of(sordino_resampler *r, uint32_t channel)
{
    return r->memory + (r->phases + 1) * r->taps + channel * (r->taps + SORDINO_RESAMPLER_BLOCK);
}

uint32_t sordino_resampler_bytes(uint32_t in_hz, uint32_t out_hz, uint32_t channels, double delay)
{
    if (in_hz < RATE_MIN || in_hz > RATE_MAX || out_hz < RATE_MIN || out_hz > RATE_MAX) return 0;
    if (channels < 1 || channels > CHANNELS_MAX) return 0;
    if (!(delay >= half_width(in_hz, out_hz) && delay <= 2.0 * half_width(in_hz, out_hz))) return 0;
    const uint32_t taps = tap_count(in_hz, out_hz, delay);
    const uint32_t floats = (phase_count(in_hz, out_hz) + 1) * taps + channels * (taps + SORDINO_RESAMPLER_BLOCK);
    return (uint32_t)(sizeof(sordino_resampler) + floats * sizeof(float));
}

/* sin(pi x) / (pi x), relative to 1e-15. */
static double sinc(double x)
{
    const double pi = 3.14159265358979323846;
    if (x < 0.0) x = -x;
    if (x < 1e-9) return 1.0;
    const uint32_t whole = (uint32_t)(x + 0.5);
    const double angle = pi * (x - (double)whole), square = angle * angle;
    double series = 0.0;
    for (int k = 23; k >= 3; k -= 2) series = (1.0 + series) * (-square / (double)(k * (k - 1)));
    const double sine = angle * (1.0 + series);
    return (whole % 2 ? -sine : sine) / (pi * x);
}

/* Kaiser's window at x in -1..1, up to a factor: the series of the Bessel function of order 0. */
static double window_at(double x)
{
    if (x <= -1.0 || x >= 1.0) return 0.0;
    const double q = (double)RESAMPLE_KAISER_BETA_HALF * (double)RESAMPLE_KAISER_BETA_HALF * (1.0 - x * x);
    double series = 0.0;
    for (int k = RESAMPLE_SERIES; k >= 1; k--) series = (1.0 + series) * (q / (double)(k * k));
    return 1.0 + series;
}

/* One row: the filter for an output sample `fraction` of an input sample after the newest input. */
static void design(float *row, uint32_t taps, double fraction, double delay, double half)
{
    const double scale = (double)RESAMPLE_HALF / half;
    double sum = 0.0;
    for (int pass = 0; pass < 2; pass++) {
        double total = 0.0;
        for (uint32_t k = 0; k < taps; k++) {
            const double away = fraction + (double)(taps - 1 - k) - delay;
            const double tap = window_at(away / half) * sinc(away * scale);
            if (pass == 0)
                total += tap;
            else
                row[k] = (float)(tap / sum);
        }
        if (pass == 0) sum = total;
    }
}

void sordino_resampler_init(sordino_resampler *r, uint32_t in_hz, uint32_t out_hz, uint32_t channels, double delay)
{
    const uint32_t common = common_divisor(in_hz, out_hz);
    const double half = half_width(in_hz, out_hz);
    r->up = out_hz / common;
    r->down = in_hz / common;
    r->phases = phase_count(in_hz, out_hz);
    r->taps = tap_count(in_hz, out_hz, delay);
    r->channels = channels;
    for (uint32_t p = 0; p <= r->phases; p++)
        design(r->memory + p * r->taps, r->taps, (double)p / (double)r->phases, delay, half);
    sordino_resampler_reset(r);
}

void sordino_resampler_reset(sordino_resampler *r)
{
    r->at = r->rest = 0;
    for (uint32_t c = 0; c < r->channels; c++) __builtin_memset(past_of(r, c), 0, r->taps * sizeof(float));
}

static float convolve(const float *x, const float *row, uint32_t taps)
{
    f32x4 sum = splat4(0.0f);
    for (uint32_t k = 0; k < taps; k += LANES) sum += load4(x + k) * load4(row + k);
    return lane_total(sum);
}

/* One output sample from the input samples x [taps], rest / up of a sample after the newest of them. */
static float interpolate(const sordino_resampler *r, const float *x, uint32_t rest)
{
    const uint64_t place = (uint64_t)rest * r->phases;
    const float *row = r->memory + (uint32_t)(place / r->up) * r->taps;
    const uint32_t between = (uint32_t)(place % r->up);
    const float here = convolve(x, row, r->taps);
    if (between == 0) return here;
    const float next = convolve(x, row + r->taps, r->taps);
    return here + (float)between / (float)r->up * (next - here);
}

uint32_t sordino_resample(sordino_resampler *r, float *out, uint32_t out_stride, const float *in, uint32_t in_stride,
                          uint32_t samples)
{
    uint32_t written = 0, at = r->at, rest = r->rest;
    for (uint32_t c = 0; c < r->channels; c++) {
        float *past = past_of(r, c);
        for (uint32_t n = 0; n < samples; n++) {
            const float x = in[c * in_stride + n];
            past[r->taps + n] = __builtin_fabsf(x) <= 3.402823466e38f ? x : 0.0f;
        }
        at = r->at;
        rest = r->rest;
        for (written = 0; at < samples; written++) {
            out[c * out_stride + written] = interpolate(r, past + at + 1, rest);
            rest += r->down;
            at += rest / r->up;
            rest %= r->up;
        }
        __builtin_memmove(past, past + samples, r->taps * sizeof(float));
    }
    r->at = at - samples;
    r->rest = rest;
    return written;
}
