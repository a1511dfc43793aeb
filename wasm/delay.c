/* Stage delay: by how many hops the far end's echo comes later in the microphone. Reference: py/sordino/chain/delay.py. */
#include "core/state.h"
#include "numerics.h"

uint32_t sordino_delay_bytes(void)
{
    return (uint32_t)sizeof(sordino_delay);
}

void sordino_reset_delay(sordino_delay *delay)
{
    __builtin_memset(delay, 0, sizeof *delay);
    delay->delay = SORDINO_DELAY_UNKNOWN;
    delay->candidate = SORDINO_DELAY_UNKNOWN;
    delay->silent = DELAYS;
}

/* Phases of a frame. re, im [DELAY_BINS] of length 1 or 0; samples [WINDOW]; returns the power of these bins. */
static float whiten(float *re, float *im, const float *samples)
{
    float all_re[PADDED_BINS], all_im[PADDED_BINS];
    f32x4 total = splat4(0.0f);
    sordino_analyse(all_re, all_im, samples);
    for (int b = 0; b < DELAY_BINS; b += LANES) {
        const f32x4 x = load4(all_re + DELAY_FIRST_BIN + b), y = load4(all_im + DELAY_FIRST_BIN + b);
        const f32x4 power = x * x + y * y;
        const f32x4 factor = 1.0f / sqrt4(power + ECHO_FLOOR);
        store4(re + b, x * factor);
        store4(im + b, y * factor);
        total += power;
    }
    return lane_total(total);
}

static void hear(float *samples, const float *hop)
{
    __builtin_memmove(samples, samples + HOP, (WINDOW - HOP) * sizeof(float));
    __builtin_memcpy(samples + WINDOW - HOP, hop, HOP * sizeof(float));
}

/* Move one delay's mean product. c_re, c_im [DELAY_BINS] in/out; x far, y near [DELAY_BINS]. */
static void follow(float *c_re, float *c_im, const float *x_re, const float *x_im, const float *y_re, const float *y_im)
{
    const float kept = DELAY_MEMORY, added = 1.0f - DELAY_MEMORY;
    for (int b = 0; b < DELAY_BINS; b += LANES) {
        const f32x4 xr = load4(x_re + b), xi = load4(x_im + b), yr = load4(y_re + b), yi = load4(y_im + b);
        store4(c_re + b, kept * load4(c_re + b) + added * (yr * xr + yi * xi));
        store4(c_im + b, kept * load4(c_im + b) + added * (yi * xr - yr * xi));
    }
}

static float score_of(const float *c_re, const float *c_im)
{
    f32x4 total = splat4(0.0f);
    for (int b = 0; b < DELAY_BINS; b += LANES) {
        const f32x4 re = load4(c_re + b), im = load4(c_im + b);
        total += re * re + im * im;
    }
    return lane_total(total) * (float)(1.0 / DELAY_BINS);
}

/* Score every delay. score [DELAYS] in 0..1. Reference: delay.compare. */
static void compare(float *score, sordino_delay *s, const float *near, const float *far)
{
    float near_re[DELAY_BINS], near_im[DELAY_BINS];
    s->newest = (s->newest + DELAYS - 1) % DELAYS;
    float *far_re = s->played_re[s->newest], *far_im = s->played_im[s->newest];
    hear(s->near, near);
    hear(s->far, far);
    const float power = whiten(far_re, far_im, s->far);
    whiten(near_re, near_im, s->near);
    s->loudest = max1(power, s->loudest * DELAY_FADE);
    const int sounds = power > s->loudest * DELAY_ACTIVE;
    s->silent = sounds ? 0 : s->silent < DELAYS ? s->silent + 1 : DELAYS;
    if (!sounds) {
        __builtin_memset(far_re, 0, DELAY_BINS * sizeof(float));
        __builtin_memset(far_im, 0, DELAY_BINS * sizeof(float));
    }
    for (int d = 0; d < DELAYS; d++) {
        const int row = (s->newest + d) % DELAYS;
        if (s->silent < DELAYS) /* else nothing new can be learnt, and what is known shall not fade */
            follow(s->cross_re[d], s->cross_im[d], s->played_re[row], s->played_im[row], near_re, near_im);
        score[d] = score_of(s->cross_re[d], s->cross_im[d]);
    }
}

/* Believe the delay that scores best. Reference: delay.choose. */
static void choose(sordino_delay *s, const float *score)
{
    int32_t best = 0;
    f32x4 total = splat4(0.0f);
    for (int d = 1; d < DELAYS; d++)
        if (score[d] > score[best]) best = d;
    for (int d = 0; d < DELAYS; d += LANES) total += load4(score + d);
    if (s->delay == SORDINO_DELAY_UNKNOWN) {
        const float mean = lane_total(total) * (float)(1.0 / DELAYS);
        if (score[best] > max1(DELAY_CLEAR * mean, DELAY_LEAST)) s->delay = best;
        return;
    }
    const int32_t by = best > s->delay ? best - s->delay : s->delay - best;
    if (by <= 1 || score[best] <= DELAY_BETTER * score[s->delay]) {
        s->hops = s->hops > 0 ? s->hops - 1 : 0;
        return;
    }
    s->hops = best == s->candidate ? s->hops + 1 : 1;
    s->candidate = best;
    if (s->hops < DELAY_HOPS) return;
    s->delay = best;
    s->hops = 0;
}

int32_t sordino_find_delay(sordino_delay *delay, const float *near, const float *far)
{
    float score[DELAYS];
    compare(score, delay, near, far);
    choose(delay, score);
    return delay->delay;
}
