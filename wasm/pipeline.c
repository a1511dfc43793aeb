/* The whole chain on one stream: calls the stages in order and does no arithmetic of its own but the input guard.
 * Reference: py/sordino/chain/pipeline.py. */
#include "guard.h"
#include "linked.h"
#include "network.h"
#include "numerics.h"
#include "sordino.h"
#include "stages.h"

#define FRAMES (MAX_LOOK_AHEAD + 1)
#define NEW_DECIMATED (HOP / DECIMATION)

typedef struct {
    float re[PADDED_BINS], im[PADDED_BINS], energy[PADDED_BANDS];
} frame;

struct sordino_state {
    /* fixed by sordino_init */
    const uint8_t *weights;
    const sordino_network *network;
    int32_t deepest; /* look-ahead */
    /* chosen by the caller */
    int32_t look_ahead;
    int32_t post_filter;
    float floor_gain;
    /* carried from hop to hop, the sound as 2^level.scale times what came in */
    _Alignas(16) float samples[SAMPLES];
    sordino_level level;
    float decimated[PITCH_HISTORY];
    frame frames[FRAMES]; /* the oldest first */
    float score[LAGS];
    uint8_t origins[FRAMES][LAGS]; /* the newest first */
    float overlap[HOP];
    float onset_memory[2];
    float noise_memory[2];
    float features[PADDED_FEATURES];
    float comb_re[PADDED_BINS], comb_im[PADDED_BINS];
    int32_t parts_left; /* of the network's step */
    _Alignas(16) uint8_t network_state[SORDINO_NETWORK_STATE_BYTES];
    /* of the frame just given out */
    sordino_decision decision;
    float gain[PADDED_BANDS], strength[PADDED_BANDS]; /* as applied */
    int32_t period;
    float correlation;
};

typedef struct {
    uint32_t magic, version, bytes, checksum, network, look_ahead;
} header;

uint32_t sordino_state_bytes(void)
{
    return (uint32_t)sizeof(sordino_state);
}

/* Adler-32 (RFC 1950). */
static uint32_t checksum(const uint8_t *bytes, uint32_t n)
{
    uint32_t a = 1, b = 0;
    for (uint32_t i = 0; i < n;) {
        const uint32_t stop = n - i > 5552 ? i + 5552 : n;
        for (; i < stop; i++) {
            a += bytes[i];
            b += a;
        }
        a %= 65521;
        b %= 65521;
    }
    return (b << 16) | a;
}

int32_t sordino_init(sordino_state *state, const uint8_t *weights, uint32_t bytes)
{
    header h;
    if (bytes < WEIGHT_HEADER_BYTES) return SORDINO_NOT_A_WEIGHT_FILE;
    __builtin_memcpy(&h, weights, sizeof h);
    if (h.magic != WEIGHT_MAGIC) return SORDINO_NOT_A_WEIGHT_FILE;
    if (h.version != WEIGHT_VERSION) return SORDINO_WRONG_VERSION;
    if (h.bytes != bytes) return SORDINO_WRONG_SIZE;
    if (h.checksum != checksum(weights + WEIGHT_HEADER_BYTES, bytes - WEIGHT_HEADER_BYTES)) return SORDINO_WRONG_CHECKSUM;
    const sordino_network *network = sordino_find_network(h.network);
    if (!network || network->weight_bytes != bytes || h.look_ahead > MAX_LOOK_AHEAD || !network->valid(weights))
        return SORDINO_UNKNOWN_NETWORK;
    state->weights = weights;
    state->network = network;
    state->look_ahead = state->deepest = (int32_t)h.look_ahead;
    state->post_filter = 1;
    state->floor_gain = 0.0f;
    sordino_reset(state);
    return SORDINO_OK;
}

void sordino_reset(sordino_state *state)
{
    uint8_t *carried = (uint8_t *)state->samples;
    __builtin_memset(carried, 0, sizeof *state - (uint32_t)(carried - (uint8_t *)state));
    for (int frame = 0; frame < FRAMES; frame++)
        for (int i = 0; i < LAGS; i++) state->origins[frame][i] = (uint8_t)i;
    state->network->reset(state->network_state);
    state->period = PERIOD_MAX;
    sordino_reset_level(&state->level);
}

/* Follow the level; where the scale changes, bring what is remembered to the new one. */
static void set_level(sordino_state *s, const float *hop)
{
    const sordino_level before = s->level;
    sordino_follow_level(&s->level, hop);
    if (s->level.scale == before.scale) return;
    const float factor = sordino_power_of_two(s->level.scale - before.scale);
    const float power = before.peak == SILENT_PEAK ? 0.0f : factor * factor;
    sordino_multiply(s->samples, SAMPLES, factor);
    sordino_multiply(s->decimated, PITCH_HISTORY, factor);
    sordino_multiply(s->overlap, HOP, factor);
    sordino_multiply(s->noise_memory, 2, power);
    for (int i = 0; i <= s->look_ahead; i++) {
        sordino_multiply(s->frames[i].re, PADDED_BINS, factor);
        sordino_multiply(s->frames[i].im, PADDED_BINS, factor);
        sordino_multiply(s->frames[i].energy, PADDED_BANDS, power);
    }
}

static void listen(sordino_state *s, const float *in)
{
    float hop[HOP];
    for (int n = 0; n < HOP; n++) hop[n] = guard(in[n]);
    set_level(s, hop);
    sordino_multiply(hop, HOP, sordino_power_of_two(s->level.scale));
    __builtin_memmove(s->samples, s->samples + HOP, sizeof s->samples - HOP * sizeof(float));
    __builtin_memcpy(s->samples + SAMPLES - HOP, hop, sizeof hop);
    __builtin_memmove(s->frames, s->frames + 1, (uint32_t)s->look_ahead * sizeof(frame));
    frame *newest = &s->frames[s->look_ahead];
    sordino_analyse(newest->re, newest->im, s->samples + SAMPLES - WINDOW);
    sordino_band_energy(newest->energy, newest->re, newest->im);
}

static void follow_pitch(sordino_state *s, const float *centre)
{
    float correlation[LAGS];
    __builtin_memmove(s->decimated, s->decimated + NEW_DECIMATED, sizeof s->decimated - NEW_DECIMATED * sizeof(float));
    sordino_decimate(s->decimated + PITCH_HISTORY - NEW_DECIMATED,
                     s->samples + SAMPLES - (HOP + DECIMATION_TAPS - DECIMATION));
    sordino_correlate(correlation, s->decimated);
    __builtin_memmove(s->origins[1], s->origins[0], sizeof s->origins - LAGS);
    sordino_track(s->score, s->origins[0], correlation);
    const int32_t lag = sordino_trace_back(s->score, s->origins[0], s->look_ahead);
    s->period = sordino_refine(&s->correlation, centre, lag);
}

static void compare_with_comb(sordino_state *s, float *coherence, const float *centre)
{
    float combed[WINDOW], energy[PADDED_BANDS], cross[PADDED_BANDS];
    const frame *now = &s->frames[0];
    sordino_comb(combed, centre, s->period, s->look_ahead);
    sordino_analyse(s->comb_re, s->comb_im, combed);
    sordino_band_energy(energy, s->comb_re, s->comb_im);
    sordino_band_cross(cross, now->re, now->im, s->comb_re, s->comb_im);
    sordino_coherence(coherence, now->energy, energy, cross);
}

static void describe(sordino_state *s, const float *coherence)
{
    const float *offset = (const float *)(const void *)(s->weights + WEIGHT_HEADER_BYTES);
    sordino_features(s->features, s->frames[s->look_ahead].energy, coherence, s->period, s->correlation);
    sordino_normalise(s->features, s->features, offset, offset + PADDED_FEATURES);
    s->parts_left = s->network->parts;
}

static void speak(sordino_state *s, float *out)
{
    frame *now = &s->frames[0];
    sordino_lift_gains(s->gain, s->decision.gain, sordino_onset(s->onset_memory, s->decision.voice));
    const float sharpening = sordino_noise_share(s->noise_memory, s->gain, now->energy);
    for (int pass = 0; pass < s->post_filter; pass++) sordino_postfilter(s->gain, s->gain, now->energy, sharpening);
    const float most = s->floor_gain > 0.0f ? 1.0f / s->floor_gain : __FLT_MAX__;
    for (int b = 0; b < PADDED_BANDS; b++) {
        s->gain[b] = min1(max1(s->gain[b], s->floor_gain), most);
        s->strength[b] = s->decision.strength[b] * (1.0f - s->floor_gain);
    }
    sordino_mix_comb(now->re, now->im, s->comb_re, s->comb_im, s->strength);
    sordino_apply_gains(now->re, now->im, now->energy, s->gain);
    sordino_synthesise(out, s->overlap, now->re, now->im);
    sordino_multiply(out, HOP, sordino_power_of_two(-s->level.scale));
}

int32_t sordino_begin(sordino_state *s, const float *in)
{
    float coherence[PADDED_BANDS];
    const float *centre = s->samples + SAMPLES - WINDOW - HOP * s->look_ahead;
    listen(s, in);
    follow_pitch(s, centre);
    compare_with_comb(s, coherence, centre);
    describe(s, coherence);
    return s->parts_left;
}

/* How many of the first streams may take the next part of a step together. */
static int32_t alike(sordino_state *const *streams, int32_t count)
{
    const sordino_state *first = streams[0];
    int32_t n = 1;
    while (n < count && n < SORDINO_TOGETHER && streams[n]->weights == first->weights &&
           streams[n]->parts_left == first->parts_left)
        n++;
    return n;
}

int32_t sordino_advance_together(sordino_state *const *streams, int32_t count)
{
    int32_t most_left = 0;
    for (int32_t i = 0, n; i < count; i += n) {
        sordino_state *const *s = streams + i;
        sordino_turn turns[SORDINO_TOGETHER];
        n = alike(s, count - i);
        if (s[0]->parts_left == 0) continue;
        for (int k = 0; k < n; k++) turns[k] = (sordino_turn){&s[k]->decision, s[k]->network_state, s[k]->features};
        s[0]->network->step(turns, n, s[0]->weights, s[0]->network->parts - s[0]->parts_left);
        for (int k = 0; k < n; k++) s[k]->parts_left--;
        if (s[0]->parts_left > most_left) most_left = s[0]->parts_left;
    }
    return most_left;
}

int32_t sordino_advance(sordino_state *s)
{
    return sordino_advance_together(&s, 1);
}

void sordino_finish(sordino_state *s, float *out)
{
    while (sordino_advance(s) > 0) continue;
    speak(s, out);
}

void sordino_process(sordino_state *s, float *out, const float *in)
{
    sordino_begin(s, in);
    sordino_finish(s, out);
}

uint32_t sordino_latency(const sordino_state *s)
{
    return HOP * (1 + (uint32_t)s->look_ahead);
}

sordino_treatment sordino_last_treatment(const sordino_state *s)
{
    return (sordino_treatment){s->look_ahead, s->level.scale, s->period, s->gain, s->strength, s->samples, s->overlap};
}

void sordino_set_look_ahead(sordino_state *s, int32_t frames)
{
    s->look_ahead = frames < 0 ? 0 : frames > s->deepest ? s->deepest : frames;
    sordino_reset(s);
}

void sordino_set_post_filter(sordino_state *s, int32_t passes)
{
    s->post_filter = passes < 0 ? 0 : passes > POST_FILTER_PASSES_MAX ? POST_FILTER_PASSES_MAX : passes;
}

void sordino_set_attenuation_limit(sordino_state *s, float floor_gain)
{
    s->floor_gain = floor_gain > 0.0f ? min1(floor_gain, 1.0f) : 0.0f;
}

float sordino_voice(const sordino_state *s)
{
    return s->decision.voice;
}

const float *sordino_gains(const sordino_state *s)
{
    return s->decision.gain;
}

const float *sordino_strengths(const sordino_state *s)
{
    return s->decision.strength;
}

float sordino_pitch_period(const sordino_state *s)
{
    return (float)s->period;
}

float sordino_pitch_correlation(const sordino_state *s)
{
    return s->correlation;
}
