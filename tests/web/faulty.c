/* A kernel for failure tests: delays its input by 30 ms and halves it, and fails when the attenuation limit says so.
 *
 * Limit in dB: 19 trap, 20 samples that are not numbers, 21 slow (15 ms per hop on any machine: see SPIN), 22 trap when
 * it is set, else works.
 * Resampling and linked channels come from the real sources.
 */
#include "gen/params.h"
#include "sordino.h"

#define DELAY (3 * HOP)

struct sordino_state {
    float past[DELAY];
    float heard[HOP];
    float floor_gain;
    float bands[BANDS];
};

static volatile double sink;

uint32_t sordino_state_bytes(void)
{
    return (uint32_t)sizeof(sordino_state);
}

int32_t sordino_init(sordino_state *state, const uint8_t *weights, uint32_t bytes)
{
    (void)weights;
    if (bytes < 4) return SORDINO_NOT_A_WEIGHT_FILE;
    __builtin_memset(state, 0, sizeof *state);
    return SORDINO_OK;
}

void sordino_reset(sordino_state *state)
{
    __builtin_memset(state->past, 0, sizeof state->past);
}

static int near(float floor_gain, float wanted)
{
    return floor_gain > 0.99f * wanted && floor_gain < 1.01f * wanted;
}

void sordino_process(sordino_state *state, float *out, const float *in)
{
    if (near(state->floor_gain, 0.11220185f)) __builtin_trap();
    if (near(state->floor_gain, 0.08912509f))
        for (int i = 0; i < SPIN; i++) sink += 1.0;
    float heard[HOP];
    __builtin_memcpy(heard, in, sizeof heard);
    for (int n = 0; n < HOP; n++) out[n] = 0.5f * state->past[n];
    if (near(state->floor_gain, 0.1f)) out[7] = __builtin_nanf("");
    __builtin_memmove(state->past, state->past + HOP, sizeof state->past - sizeof heard);
    __builtin_memcpy(state->past + DELAY - HOP, heard, sizeof heard);
}

int32_t sordino_begin(sordino_state *state, const float *in)
{
    __builtin_memcpy(state->heard, in, sizeof state->heard);
    return 1;
}

int32_t sordino_advance_together(sordino_state *const *streams, int32_t count)
{
    return streams == 0 ? count : 0;
}

void sordino_finish(sordino_state *state, float *out)
{
    sordino_process(state, out, state->heard);
}

uint32_t sordino_latency(const sordino_state *state)
{
    (void)state;
    return DELAY;
}

void sordino_set_look_ahead(sordino_state *state, int32_t frames)
{
    (void)state;
    (void)frames;
}

void sordino_set_post_filter(sordino_state *state, int32_t passes)
{
    (void)state;
    (void)passes;
}

void sordino_set_attenuation_limit(sordino_state *state, float floor_gain)
{
    if (near(floor_gain, 0.07943282f)) __builtin_trap();
    state->floor_gain = floor_gain;
}

float sordino_voice(const sordino_state *state)
{
    return state->floor_gain >= 0.0f ? 0.75f : 0.0f;
}

const float *sordino_gains(const sordino_state *state)
{
    return state->bands;
}

const float *sordino_strengths(const sordino_state *state)
{
    return state->bands;
}

float sordino_pitch_period(const sordino_state *state)
{
    return (float)sizeof *state;
}

float sordino_pitch_correlation(const sordino_state *state)
{
    return state->bands[0];
}

uint32_t sordino_channel_bytes(void)
{
    return (uint32_t)sizeof(sordino_state);
}

void sordino_join(sordino_channel *channel, const sordino_state *state)
{
    __builtin_memcpy(channel, state, sizeof *state);
}

void sordino_follow(sordino_channel *channel, float *out, const float *in, const sordino_state *state)
{
    (void)state;
    sordino_process((sordino_state *)(void *)channel, out, in);
}

uint32_t sordino_echo_bytes(void)
{
    return SORDINO_ALIGNMENT;
}

void sordino_reset_echo(sordino_echo *echo)
{
    (void)echo;
}

void sordino_cancel(float *out, sordino_echo *echo, const float *near, const float *far)
{
    (void)echo;
    (void)far;
    __builtin_memmove(out, near, HOP * sizeof(float));
}
