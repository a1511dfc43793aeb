/* Stage echo: take out of the microphone what an adaptive filter makes of the far end. Reference: py/sordino/chain/echo.py. */
#include "core/state.h"
#include "fft.h"
#include "guard.h"
#include "numerics.h"

/* Whose powers are followed. */
enum { NEAR, LEFT, FAR };

uint32_t sordino_echo_bytes(void)
{
    return (uint32_t)sizeof(sordino_echo);
}

/* How much each coefficient is doubted before anything is known. */
static float first_doubt(const sordino_echo *s)
{
    return ECHO_DOUBT * min1(1.0f, s->powers[NEAR] / (s->powers[FAR] + ECHO_FLOOR));
}

/* Forget the path. Reference: echo.begin_anew. */
static void begin_anew(sordino_echo *s)
{
    const float doubt = first_doubt(s);
    __builtin_memset(s->path_re, 0, sizeof s->path_re);
    __builtin_memset(s->path_im, 0, sizeof s->path_im);
    for (int k = 0; k < ECHO_PARTS; k++)
        for (int b = 0; b < ECHO_BINS; b++) s->doubt[k][b] = doubt;
    s->lost = 0;
}

void sordino_reset_echo(sordino_echo *s)
{
    __builtin_memset(s, 0, sizeof *s);
    sordino_reset_delay(&s->late);
    s->start = SORDINO_DELAY_UNKNOWN;
    s->kept = 1.0f;
}

/* Rows [ECHO_PARTS][ECHO_BINS] move by so many rows towards the first; where none comes from, they get a value. */
static void shift(float rows[ECHO_PARTS][ECHO_BINS], int32_t by, float value)
{
    const int32_t size = by < 0 ? -by : by, kept = size < ECHO_PARTS ? ECHO_PARTS - size : 0;
    const int32_t from = by > 0 ? by : 0, to = by < 0 ? -by : 0;
    if (kept) __builtin_memmove(rows[to], rows[from], (uint32_t)kept * sizeof rows[0]);
    for (int32_t k = 0; k < ECHO_PARTS; k++)
        for (int b = 0; b < ECHO_BINS && (!kept || k < to || k >= to + kept); b++) rows[k][b] = value;
}

/* Move the filter: what lies in both places is kept. Reference: echo.move. */
static void move(sordino_echo *s, int32_t start)
{
    const int32_t by = start - s->start;
    shift(s->path_re, by, 0.0f);
    shift(s->path_im, by, 0.0f);
    shift(s->doubt, by, first_doubt(s));
    s->start = start;
    s->lost = 0;
}

/* Begin the filter where the first delay lies; move it with the echo. Reference: echo.place. */
static void place(sordino_echo *s, int32_t found)
{
    const int32_t wanted = found > ECHO_AHEAD ? found - ECHO_AHEAD : 0;
    if (s->start == SORDINO_DELAY_UNKNOWN) {
        s->start = wanted;
        begin_anew(s);
    } else if (found < s->start || found > s->start + ECHO_LATE)
        move(s, wanted);
}

/* Lowest bins of samples. re, im [ECHO_BINS]; samples [WINDOW]. Reference: echo.spectrum_of. */
static void spectrum_of(float *re, float *im, const float *samples)
{
    float even[HALF], odd[HALF], all_re[BINS], all_im[BINS];
    for (int n = 0; n < HALF; n++) {
        even[n] = samples[2 * n];
        odd[n] = samples[2 * n + 1];
    }
    sordino_real_transform(all_re, all_im, even, odd);
    __builtin_memcpy(re, all_re, ECHO_BINS * sizeof(float));
    __builtin_memcpy(im, all_im, ECHO_BINS * sizeof(float));
}

/* Samples [WINDOW] of a spectrum that has nothing above re, im [ECHO_BINS]. Reference: echo.samples_of. */
static void samples_of(float *samples, const float *re, const float *im)
{
    float even[HALF], odd[HALF], all_re[BINS] = {0}, all_im[BINS] = {0};
    __builtin_memcpy(all_re, re, ECHO_BINS * sizeof(float));
    __builtin_memcpy(all_im, im, ECHO_BINS * sizeof(float));
    sordino_inverse_real_transform(even, odd, all_re, all_im);
    for (int n = 0; n < HALF; n++) {
        samples[2 * n] = even[n] * (float)(1.0 / HALF);
        samples[2 * n + 1] = odd[n] * (float)(1.0 / HALF);
    }
}

static int row_of(const sordino_echo *s, int part)
{
    return (s->newest + s->start + part) % PLAYED;
}

/* The echo in the newest hop. echo [HOP]. Reference: echo.estimate. */
static void estimate(float *echo, const sordino_echo *s)
{
    float re[ECHO_BINS], im[ECHO_BINS], samples[WINDOW];
    for (int b = 0; b < ECHO_BINS; b += LANES) {
        f32x4 sum_re = splat4(0.0f), sum_im = splat4(0.0f);
        for (int k = 0; k < ECHO_PARTS; k++) {
            const int row = row_of(s, k);
            const f32x4 wr = load4(s->path_re[k] + b), wi = load4(s->path_im[k] + b);
            const f32x4 xr = load4(s->played_re[row] + b), xi = load4(s->played_im[row] + b);
            sum_re += wr * xr - wi * xi;
            sum_im += wr * xi + wi * xr;
        }
        store4(re + b, sum_re);
        store4(im + b, sum_im);
    }
    samples_of(samples, re, im);
    __builtin_memcpy(echo, samples + HOP, HOP * sizeof(float));
}

/* Keep only the first half of a partition's impulse response. Reference: echo.cut. */
static void cut(sordino_echo *s, int part)
{
    float samples[WINDOW];
    samples_of(samples, s->path_re[part], s->path_im[part]);
    __builtin_memset(samples + HOP, 0, (WINDOW - HOP) * sizeof(float));
    spectrum_of(s->path_re[part], s->path_im[part], samples);
}

/* Move one partition's coefficients and doubts; scale [ECHO_BINS] is what a step divides by. Returns their power. */
static float learn_part(sordino_echo *s, int k, const float *scale, const float *e_re, const float *e_im)
{
    float *path_re = s->path_re[k], *path_im = s->path_im[k], *doubt = s->doubt[k];
    const float *played_re = s->played_re[row_of(s, k)], *played_im = s->played_im[row_of(s, k)];
    f32x4 total = splat4(0.0f);
    for (int b = 0; b < ECHO_BINS; b += LANES) {
        const f32x4 xr = load4(played_re + b), xi = load4(played_im + b), er = load4(e_re + b), ei = load4(e_im + b);
        const f32x4 p = load4(doubt + b), step = p / load4(scale + b), power = xr * xr + xi * xi;
        const f32x4 wr = load4(path_re + b) + step * (xr * er + xi * ei);
        const f32x4 wi = load4(path_im + b) + step * (xr * ei - xi * er);
        const f32x4 size = wr * wr + wi * wi;
        const f32x4 stays = ECHO_MEMORY * ((1.0f - 0.5f * (step * power)) * p);
        store4(path_re + b, wr);
        store4(path_im + b, wi);
        store4(doubt + b, max4(stays + (1.0f - ECHO_MEMORY) * size, splat4(ECHO_CERTAIN)));
        total += size;
    }
    return lane_total(total);
}

/* What the steps of each bin divide by. scale [ECHO_BINS]; e_re, e_im spectrum of what is left. */
static void divide_by(float *scale, sordino_echo *s, const float *e_re, const float *e_im)
{
    for (int b = 0; b < ECHO_BINS; b += LANES) {
        const f32x4 er = load4(e_re + b), ei = load4(e_im + b);
        const f32x4 near =
            ECHO_NEAR_MEMORY * load4(s->near + b) + (1.0f - ECHO_NEAR_MEMORY) * (er * er + ei * ei + ECHO_FLOOR);
        f32x4 expected = splat4(0.0f);
        for (int k = 0; k < ECHO_PARTS; k++) {
            const int row = row_of(s, k);
            const f32x4 xr = load4(s->played_re[row] + b), xi = load4(s->played_im[row] + b);
            expected += (xr * xr + xi * xi) * load4(s->doubt[k] + b);
        }
        store4(s->near + b, near);
        store4(scale + b, expected * 0.5f + near);
    }
}

/* Move the path towards what would have left less. left [HOP]. Reference: echo.learn. */
static void learn(sordino_echo *s, const float *left)
{
    float samples[WINDOW] = {0}, e_re[ECHO_BINS], e_im[ECHO_BINS], scale[ECHO_BINS], largest = -1.0f;
    int best = 0;
    __builtin_memcpy(samples + HOP, left, HOP * sizeof(float));
    spectrum_of(e_re, e_im, samples);
    divide_by(scale, s, e_re, e_im);
    for (int k = 0; k < ECHO_PARTS; k++) {
        const float size = learn_part(s, k, scale, e_re, e_im);
        if (size > largest) {
            largest = size;
            best = k;
        }
    }
    cut(s, best);
    if (s->turn != best) cut(s, s->turn);
    s->turn = (s->turn + 1) % ECHO_PARTS;
}

static float power_of(const float *x)
{
    f32x4 total = splat4(0.0f);
    for (int n = 0; n < HOP; n += LANES) total += load4(x + n) * load4(x + n);
    return lane_total(total);
}

static void subtract(float *left, const float *near, const float *echo)
{
    for (int n = 0; n < HOP; n++) left[n] = near[n] - echo[n];
}

/* Follow one of the powers; returns that of this hop [HOP]. Reference: echo.follow. */
static float follow(sordino_echo *s, int which, const float *hop)
{
    const float now = power_of(hop);
    s->powers[which] = ECHO_POWER_MEMORY * s->powers[which] + now;
    return now;
}

/* The microphone, of this power, without the estimate, unless that makes it louder. out [HOP], may be near.
 * Reference: echo.take_out. */
static void take_out(float *out, sordino_echo *s, const float *near, float power, const float *echo)
{
    float left[HOP];
    subtract(left, near, echo);
    const float after = follow(s, LEFT, left), before = s->kept;
    s->lost = s->powers[LEFT] > ECHO_LOST * s->powers[NEAR] ? s->lost + 1 : 0;
    if (s->lost >= ECHO_LOST_HOPS) begin_anew(s);
    s->kept = after > ECHO_WORSE * power ? 0.0f : min1(before + ECHO_RETURN, 1.0f);
    for (int n = 0; n < HOP; n++) {
        const float share = before + (s->kept - before) * ((float)(n + 1) * (float)(1.0 / HOP));
        out[n] = near[n] - share * echo[n];
    }
}

/* sordino_cancel with guarded hops. */
static void cancel(float *out, sordino_echo *s, const float *near, const float *far)
{
    float echo[HOP], left[HOP];
    const float now = follow(s, NEAR, near);
    follow(s, FAR, far);
    __builtin_memmove(s->far, s->far + HOP, (WINDOW - HOP) * sizeof(float));
    __builtin_memcpy(s->far + WINDOW - HOP, far, HOP * sizeof(float));
    s->newest = (s->newest + PLAYED - 1) % PLAYED;
    spectrum_of(s->played_re[s->newest], s->played_im[s->newest], s->far);
    const int32_t found = sordino_find_delay(&s->late, near, far);
    if (found == SORDINO_DELAY_UNKNOWN) {
        __builtin_memmove(out, near, HOP * sizeof(float));
        return;
    }
    place(s, found);
    for (int pass = 0; pass < ECHO_PASSES; pass++) {
        estimate(echo, s);
        subtract(left, near, echo);
        learn(s, left);
    }
    estimate(echo, s);
    take_out(out, s, near, now, echo);
}

void sordino_cancel(float *out, sordino_echo *echo, const float *near, const float *far)
{
    float heard[HOP], played[HOP];
    guard_hop(heard, near);
    guard_hop(played, far);
    cancel(out, echo, heard, played);
}
