/* A residual GRU for training: y = x + Wo h(tanh(scale x + shift)) + bo, forward and backward, over many rows at once.
 *
 * Sixteen rows go through the whole sequence before the next sixteen do, so that weights, states and sums stay in the
 * caches; torch would write each of a dozen intermediate results to memory. Twin: the path without it in
 * sordino/train/network.py, which the tests compare with. Compiled and called by residual_gru.py.
 */
#include <algorithm>
#include <cstdint>
#include <cstring>

typedef float Vec __attribute__((vector_size(64), aligned(4), may_alias));
constexpr int LANES = 16;
constexpr int ROWS = 16;

// How many rows of so many vectors fit into the registers.
constexpr int fitting(int vectors)
{
    return vectors >= 9 ? 2 : vectors >= 4 ? 4 : vectors >= 2 ? 8 : 16;
}

static inline Vec load(const float *p)
{
    return *(const Vec *)p;
}
static inline void store(float *p, Vec v)
{
    *(Vec *)p = v;
}
static inline Vec splat(float x)
{
    return x - (Vec){};
}

// c[ROWS][16 NV] (+)= a[ROWS][K] b[K][16 NV]
template <int K, int NV> static void product(const float *a, int64_t lda, const float *b, float *c, int64_t ldc, bool add)
{
    constexpr int R = fitting(NV);
    for (int first = 0; first < ROWS; first += R) {
        Vec sum[R][NV];
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
#pragma GCC unroll 8
            for (int v = 0; v < NV; v++) sum[r][v] = add ? load(c + (first + r) * ldc + v * LANES) : (Vec){};
        for (int k = 0; k < K; k++) {
            Vec row[NV];
#pragma GCC unroll 8
            for (int v = 0; v < NV; v++) row[v] = load(b + (k * NV + v) * LANES);
#pragma GCC unroll 16
            for (int r = 0; r < R; r++) {
                Vec x = splat(a[(first + r) * lda + k]);
#pragma GCC unroll 8
                for (int v = 0; v < NV; v++) sum[r][v] += x * row[v];
            }
        }
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
#pragma GCC unroll 8
            for (int v = 0; v < NV; v++) store(c + (first + r) * ldc + v * LANES, sum[r][v]);
    }
}

// w[M][16 NV] += d[ROWS][M]^T x[ROWS][16 NV]
template <int M, int NV> static void outer(const float *d, const float *x, int64_t ldx, float *w)
{
    constexpr int R = NV == 1 ? 16 : NV == 2 ? 8 : 4;
    for (int first = 0; first < M; first += R) {
        Vec sum[R][NV];
#pragma GCC unroll 16
        for (int j = 0; j < R; j++)
#pragma GCC unroll 8
            for (int v = 0; v < NV; v++) sum[j][v] = load(w + ((first + j) * NV + v) * LANES);
        for (int r = 0; r < ROWS; r++) {
            Vec in[NV];
#pragma GCC unroll 8
            for (int v = 0; v < NV; v++) in[v] = load(x + r * ldx + v * LANES);
#pragma GCC unroll 16
            for (int j = 0; j < R; j++) {
                Vec y = splat(d[r * M + first + j]);
#pragma GCC unroll 8
                for (int v = 0; v < NV; v++) sum[j][v] += y * in[v];
            }
        }
#pragma GCC unroll 16
        for (int j = 0; j < R; j++)
#pragma GCC unroll 8
            for (int v = 0; v < NV; v++) store(w + ((first + j) * NV + v) * LANES, sum[j][v]);
    }
}

/* 2^x by a polynomial, as in wasm/numerics.h, in a form that compilers turn into vector instructions. */
static inline float exp2_(float x)
{
    x = x < -126.0f ? -126.0f : x > 126.0f ? 126.0f : x;
    const int32_t whole = (int32_t)(x + 128.5f) - 128;
    const float f = x - (float)whole;
    const float series =
        1.00000007f + f * (0.69314697f + f * (0.2402212f + f * (0.055507133f + f * (0.0096755413f + f * 0.0013276452f))));
    const int32_t bits = (whole + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return series * power;
}

static inline float sigmoid(float x)
{
    return 1.0f / (1.0f + exp2_(x * -1.4426950408889634f));
}
static inline float quantise(float x)
{
    float q = x * 63.0f + 64.5f;
    q = q < 1.0f ? 1.0f : q > 127.5f ? 127.5f : q;
    return ((float)(int32_t)q - 64.0f) / 63.0f;
}

struct Sequence {
    int64_t steps, rows; // length of the recurrence, independent rows
    int64_t step, row;   // strides of x and of all that has its shape, in floats
    int64_t reverse, quantised, has_start;
};

static inline float tanh_(float x)
{
    return 2.0f * sigmoid(2.0f * x) - 1.0f;
}

// One direction of y (+)= x + Wo h(tanh(scale x + shift)) + bo over a sequence.
struct Weights {
    const float *scale, *shift;     // [C]
    const float *wi, *wh, *bi, *bh; // [3H][C], [3H][H], [3H], [3H]
    const float *wi_t, *wh_t;       // turned: [C][3H], [H][3H]
    const float *wo, *wo_t, *bo;    // [C][H], [H][C], [C] or null
};
struct Grads {
    float *scale, *shift, *wi, *wh, *bi, *bh, *wo_t, *bo; // wo_t [H][C]
};

template <int C>
static void squash(const Sequence &s, const float *xs, const Weights &w, int count, float *plain, float *u, float *q)
{
    for (int r = 0; r < count; r++) memcpy(plain + r * C, xs + r * s.row, C * sizeof(float));
    for (int r = 0; r < ROWS; r++)
#pragma GCC ivdep
        for (int j = 0; j < C; j++) u[r * C + j] = tanh_(plain[r * C + j] * w.scale[j] + w.shift[j]);
    if (s.quantised)
        for (int k = 0; k < ROWS * C; k++) q[k] = quantise(u[k]);
    else
        memcpy(q, u, sizeof(float) * ROWS * C);
}

// saved [blocks][steps][ROWS][5H]: r, z, n, recurrent part of n, state
template <int C, int H>
static void forward_of(const Sequence &s, const float *x, const Weights &w, const float *start, float *y, int64_t add,
                       float *end, float *saved)
{
    constexpr int G = 3 * H, NV = G / LANES, NVC = C / LANES;
    alignas(64) float gates[ROWS * G], rec[ROWS * G], state[ROWS * H], seen[ROWS * H], plain[ROWS * C], u[ROWS * C],
        q[ROWS * C], out[ROWS * C];
    memset(plain, 0, sizeof plain);
    for (int64_t first = 0, block = 0; first < s.rows; first += ROWS, block++) {
        const int count = (int)std::min<int64_t>(ROWS, s.rows - first);
        memset(state, 0, sizeof state);
        if (s.has_start)
            for (int r = 0; r < count; r++) memcpy(state + r * H, start + (first + r) * H, H * sizeof(float));
        for (int64_t i = 0; i < s.steps; i++) {
            const int64_t t = s.reverse ? s.steps - 1 - i : i;
            squash<C>(s, x + t * s.step + first * s.row, w, count, plain, u, q);
            for (int r = 0; r < ROWS; r++)
                memcpy(gates + r * G, w.bi, sizeof(float) * G), memcpy(rec + r * G, w.bh, sizeof(float) * G);
            product<C, NV>(q, C, w.wi_t, gates, G, true);
            if (s.quantised)
                for (int k = 0; k < ROWS * H; k++) seen[k] = quantise(state[k]);
            product<H, NV>(s.quantised ? seen : state, H, w.wh_t, rec, G, true);
            float *keep = saved + (block * s.steps + t) * ROWS * 5 * H;
            for (int r = 0; r < ROWS; r++) {
                float *k = keep + r * 5 * H, *st = state + r * H;
                const float *g = gates + r * G, *p = rec + r * G;
#pragma GCC ivdep
                for (int j = 0; j < 2 * H; j++) k[j] = sigmoid(g[j] + p[j]);
#pragma GCC ivdep
                for (int j = 0; j < H; j++) {
                    const float rn = p[2 * H + j], n = tanh_(g[2 * H + j] + k[j] * rn);
                    k[2 * H + j] = n;
                    k[3 * H + j] = rn;
                    st[j] = n + k[H + j] * (st[j] - n);
                    k[4 * H + j] = st[j];
                }
            }
            if (s.quantised)
                for (int k = 0; k < ROWS * H; k++) seen[k] = quantise(state[k]);
            float *ys = y + t * s.step + first * s.row;
            for (int r = 0; r < ROWS; r++) {
                if (add && r < count)
                    memcpy(out + r * C, ys + r * s.row, C * sizeof(float));
                else
                    for (int j = 0; j < C; j++) out[r * C + j] = plain[r * C + j] + (w.bo ? w.bo[j] : 0.0f);
            }
            product<H, NVC>(s.quantised ? seen : state, H, w.wo_t, out, C, true);
            for (int r = 0; r < count; r++) memcpy(ys + r * s.row, out + r * C, C * sizeof(float));
        }
        if (end)
            for (int r = 0; r < count; r++) memcpy(end + (first + r) * H, state + r * H, H * sizeof(float));
    }
}

template <int C, int H>
static void backward_of(const Sequence &s, const float *x, const Weights &w, const float *start, const float *saved,
                        const float *dy, float *dx, int64_t add, const Grads &d)
{
    constexpr int G = 3 * H, NVC = C / LANES, NVH = H / LANES;
    alignas(64) float into[ROWS * G], rec[ROWS * G], carry[ROWS * H], before[ROWS * H], now[ROWS * H], flow[ROWS * H],
        grad[ROWS * C], plain[ROWS * C], u[ROWS * C], q[ROWS * C], out[ROWS * C];
    memset(plain, 0, sizeof plain), memset(grad, 0, sizeof grad);
    for (int64_t first = 0, block = 0; first < s.rows; first += ROWS, block++) {
        const int count = (int)std::min<int64_t>(ROWS, s.rows - first);
        memset(carry, 0, sizeof carry);
        if (count < ROWS) memset(grad, 0, sizeof grad);
        for (int64_t i = s.steps - 1; i >= 0; i--) {
            const int64_t t = s.reverse ? s.steps - 1 - i : i, p = s.reverse ? t + 1 : t - 1;
            const float *keep = saved + (block * s.steps + t) * ROWS * 5 * H,
                        *earlier = saved + (block * s.steps + p) * ROWS * 5 * H;
            const float *dys = dy + t * s.step + first * s.row;
            for (int r = 0; r < count; r++) memcpy(grad + r * C, dys + r * s.row, C * sizeof(float));
            for (int r = 0; r < ROWS; r++) {
                memcpy(now + r * H, keep + r * 5 * H + 4 * H, H * sizeof(float));
                if (i)
                    memcpy(before + r * H, earlier + r * 5 * H + 4 * H, H * sizeof(float));
                else if (s.has_start && r < count)
                    memcpy(before + r * H, start + (first + r) * H, H * sizeof(float));
                else
                    memset(before + r * H, 0, H * sizeof(float));
            }
            product<C, NVH>(grad, C, w.wo, flow, H, false);
            if (s.quantised)
                for (int k = 0; k < ROWS * H; k++) now[k] = quantise(now[k]);
            outer<H, NVC>(now, grad, C, d.wo_t);
            if (d.bo)
                for (int r = 0; r < count; r++)
                    for (int j = 0; j < C; j++) d.bo[j] += grad[r * C + j];
            for (int r = 0; r < ROWS; r++) {
                const float *k = keep + r * 5 * H, *b = before + r * H, *f = flow + r * H;
                float *g = into + r * G, *e = rec + r * G, *c = carry + r * H;
#pragma GCC ivdep
                for (int j = 0; j < H; j++) {
                    const float rr = k[j], z = k[H + j], n = k[2 * H + j], rn = k[3 * H + j], m = f[j] + c[j];
                    const float dn = m * (1 - z) * (1 - n * n), dz = m * (b[j] - n) * z * (1 - z),
                                dr = dn * rn * rr * (1 - rr);
                    g[j] = e[j] = dr;
                    g[H + j] = e[H + j] = dz;
                    g[2 * H + j] = dn;
                    e[2 * H + j] = dn * rr;
                    c[j] = m * z;
                }
            }
            if (s.quantised)
                for (int k = 0; k < ROWS * H; k++) before[k] = quantise(before[k]);
            product<G, NVH>(rec, G, w.wh, carry, H, true);
            outer<G, NVH>(rec, before, H, d.wh);
            for (int r = 0; r < count; r++)
#pragma GCC ivdep
                for (int j = 0; j < G; j++) d.bi[j] += into[r * G + j], d.bh[j] += rec[r * G + j];
            squash<C>(s, x + t * s.step + first * s.row, w, count, plain, u, q);
            outer<G, NVC>(into, q, C, d.wi);
            product<G, NVC>(into, G, w.wi, out, C, false);
            float *dxs = dx + t * s.step + first * s.row;
            for (int r = 0; r < count; r++) {
                float *o = dxs + r * s.row;
#pragma GCC ivdep
                for (int j = 0; j < C; j++) {
                    const float a = u[r * C + j], v = out[r * C + j] * (1 - a * a);
                    d.scale[j] += v * plain[r * C + j];
                    d.shift[j] += v;
                    o[j] = (add ? o[j] : grad[r * C + j]) + v * w.scale[j];
                }
            }
        }
    }
}

// clang-format off
#define EACH(X) \
    X(16, 16) X(16, 32) X(16, 48) X(16, 64) X(32, 16) X(32, 32) X(32, 48) X(32, 64) \
    X(48, 16) X(48, 32) X(48, 48) X(48, 64) X(64, 16) X(64, 32) X(64, 48) X(64, 64)
// clang-format on
extern "C" int forward(int c, int hs, const Sequence *s, const float *x, const Weights *w, const float *start, float *y,
                       int64_t add, float *end, float *saved)
{
#define CASE(C, H) \
    if (c == C && hs == H) return forward_of<C, H>(*s, x, *w, start, y, add, end, saved), 0;
    EACH(CASE)
#undef CASE
    return 1;
}
extern "C" int backward(int c, int hs, const Sequence *s, const float *x, const Weights *w, const float *start,
                        const float *saved, const float *dy, float *dx, int64_t add, const Grads *d)
{
#define CASE(C, H) \
    if (c == C && hs == H) return backward_of<C, H>(*s, x, *w, start, saved, dy, dx, add, *d), 0;
    EACH(CASE)
#undef CASE
    return 1;
}
