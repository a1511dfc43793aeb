/* Stage pitch: correlation of the decimated frame, Viterbi track, refinement at the full rate. Longest lag first.
 * Reference: py/sordino/chain/pitch.py. */
#include "gen/tables.h"
#include "numerics.h"
#include "stages.h"

#define CORRELATE_BLOCK 4 /* vectors of lags held in registers */

void sordino_decimate(float *out, const float *x)
{
    for (int i = 0; i < HOP / DECIMATION; i++) {
        f32x4 total = splat4(0.0f);
        for (int k = 0; k < DECIMATION_TAPS; k += LANES)
            total += load4(x + DECIMATION * i + k) * load4(decimation_filter + k);
        out[i] = lane_total(total);
    }
}

static void cross_correlate(float *out, const float *frame, const float *longest)
{
    for (int i = 0; i < LAGS; i += LANES * CORRELATE_BLOCK) {
        f32x4 total[CORRELATE_BLOCK];
        for (int v = 0; v < CORRELATE_BLOCK; v++) total[v] = splat4(0.0f);
        for (int n = 0; n < PITCH_WINDOW; n++) {
            const f32x4 x = splat4(frame[n]);
            for (int v = 0; v < CORRELATE_BLOCK; v++) total[v] += x * load4(longest + n + i + LANES * v);
        }
        for (int v = 0; v < CORRELATE_BLOCK; v++) store4(out + i + LANES * v, total[v]);
    }
}

void sordino_correlate(float *out, const float *x)
{
    const int start = PITCH_HISTORY - PITCH_WINDOW;
    float running[PITCH_HISTORY + 1], cross[LAGS];
    running[0] = 0.0f;
    for (int n = 0; n < PITCH_HISTORY; n++) running[n + 1] = running[n] + x[n] * x[n];
    cross_correlate(cross, x + start, x + start - LAG_MAX);
    const float energy = running[PITCH_HISTORY] - running[start];
    for (int i = 0; i < LAGS; i += LANES) {
        const float *first = running + start - LAG_MAX + i;
        const f32x4 lagged = max4(load4(first + PITCH_WINDOW) - load4(first), splat4(0.0f));
        const f32x4 root = sqrt4(energy * lagged + CORRELATION_FLOOR);
        store4(out + i, clamp4(load4(cross + i) / root, -1.0f, 1.0f));
    }
}

static int argmax(const float *x, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (x[i] > x[best]) best = i;
    return best;
}

/* Where the contour that reaches each of four lags comes from, and its score. */
static f32x4 best_origin(i32x4 *origin, const float *padded, int i, f32x4 jump, int top)
{
    f32x4 best = load4(padded + TRACK_REACH + i);
    *origin = (i32x4){i, i + 1, i + 2, i + 3};
    const i32x4 index = *origin;
    for (int step = 1; step <= TRACK_REACH; step++) {
        for (int move = -step; move <= step; move += 2 * step) {
            const f32x4 candidate = load4(padded + TRACK_REACH + i + move) - track_move_cost[step];
            const i32x4 better = candidate > best;
            best = select4(better, candidate, best);
            *origin = (better & (index + move)) | (~better & *origin);
        }
    }
    const i32x4 better = jump > best;
    *origin = (better & top) | (~better & *origin);
    return select4(better, jump, best);
}

void sordino_track(float *score, uint8_t *origin, const float *correlation)
{
    float padded[LAGS + 2 * TRACK_REACH];
    for (int i = 0; i < TRACK_REACH; i++) padded[i] = padded[TRACK_REACH + LAGS + i] = -1e9f;
    for (int i = 0; i < LAGS; i++) padded[TRACK_REACH + i] = score[i];
    const int top = argmax(score, LAGS);
    const f32x4 jump = splat4(score[top] - TRACK_JUMP_COST);
    f32x4 highest = splat4(-1e9f);
    for (int i = 0; i < LAGS; i += LANES) {
        i32x4 from;
        const f32x4 best = best_origin(&from, padded, i, jump, top);
        const f32x4 total = (best + load4(correlation + i)) - load4(lag_cost + i);
        store4(score + i, total);
        highest = max4(highest, total);
        for (int lane = 0; lane < LANES; lane++) origin[i + lane] = (uint8_t)from[lane];
    }
    const float best = max1(max1(highest[0], highest[1]), max1(highest[2], highest[3]));
    for (int i = 0; i < LAGS; i += LANES) store4(score + i, load4(score + i) - best);
}

int32_t sordino_trace_back(const float *score, const uint8_t *origins, int32_t frames)
{
    int i = argmax(score, LAGS);
    for (int frame = 0; frame < frames; frame++) i = origins[frame * LAGS + i];
    return LAG_MAX - i;
}

int32_t sordino_refine(float *correlation, const float *frame, int32_t lag)
{
    int lowest = DECIMATION * lag - REFINE / 2;
    if (lowest < PERIOD_MIN) lowest = PERIOD_MIN;
    if (lowest > PERIOD_MAX - REFINE + 1) lowest = PERIOD_MAX - REFINE + 1;
    const int longest = lowest + REFINE - 1;
    f32x4 cross[REFINE / LANES], energy[REFINE / LANES], own = splat4(0.0f);
    for (int v = 0; v < REFINE / LANES; v++) cross[v] = energy[v] = splat4(0.0f);
    for (int n = 0; n < WINDOW; n++) {
        const f32x4 x = splat4(frame[n]);
        for (int v = 0; v < REFINE / LANES; v++) {
            const f32x4 lagged = load4(frame + n - longest + LANES * v);
            cross[v] += x * lagged;
            energy[v] += lagged * lagged;
        }
    }
    for (int n = 0; n < WINDOW; n += LANES) own += load4(frame + n) * load4(frame + n);
    float found[REFINE];
    for (int v = 0; v < REFINE / LANES; v++) {
        const f32x4 root = sqrt4(lane_total(own) * energy[v] + CORRELATION_FLOOR);
        store4(found + LANES * v, clamp4(cross[v] / root, 0.0f, 1.0f));
    }
    const int best = argmax(found, REFINE);
    *correlation = found[best];
    return longest - best;
}
