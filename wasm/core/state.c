/* The life of a stream and of a channel: sizes, start, settings, read-outs. */
#include "core/state.h"

#include "numerics.h"

uint32_t sordino_state_bytes(void)
{
    return (uint32_t)sizeof(sordino_state);
}

int32_t sordino_init(sordino_state *state, const uint8_t *weights, uint32_t bytes)
{
    const int32_t code = sordino_open_weights(&state->weights, weights, bytes);
    if (code != SORDINO_OK) return code;
    state->look_ahead = state->weights.look_ahead;
    state->post_filter = 0;
    state->floor_gain = 0.0f;
    sordino_reset(state);
    return SORDINO_OK;
}

void sordino_reset(sordino_state *state)
{
    uint8_t *carried = (uint8_t *)&state->sound;
    __builtin_memset(carried, 0, sizeof *state - (uint32_t)(carried - (uint8_t *)state));
    for (int frame = 0; frame < FRAMES; frame++)
        for (int i = 0; i < LAGS; i++) state->origins[frame][i] = (uint8_t)i;
    state->weights.network->reset(state->network_state);
    sordino_reset_level(&state->level);
    state->treatment.look_ahead = state->look_ahead;
    state->treatment.period = PERIOD_MAX;
    state->readouts.pitch_period = (float)PERIOD_MAX;
}

uint32_t sordino_latency(const sordino_state *s)
{
    return HOP * (1 + (uint32_t)s->look_ahead);
}

void sordino_set_look_ahead(sordino_state *s, int32_t frames)
{
    s->look_ahead = frames < 0 ? 0 : frames > s->weights.look_ahead ? s->weights.look_ahead : frames;
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

uint32_t sordino_channel_bytes(void)
{
    return (uint32_t)sizeof(sordino_channel);
}

void sordino_join(sordino_channel *channel, const sordino_state *state)
{
    __builtin_memcpy(channel, &state->sound, sizeof *channel);
}

#define VALUE(name) \
    float sordino_##name(const sordino_state *s) \
    { \
        return s->readouts.name; \
    }
#define VECTOR(name, count) \
    const float *sordino_##name(const sordino_state *s) \
    { \
        return s->readouts.name; \
    }
SORDINO_READOUTS(VALUE, VECTOR)
