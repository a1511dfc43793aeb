/* Linked channels: each is treated as a stream has decided about the mean of all, so that the stereo image stays.
 * Reference: py/sordino/chain/linked.py. */
#include "gen/params.h"
#include "guard.h"
#include "linked.h"
#include "stages.h"

struct sordino_channel {
    _Alignas(16) float samples[SAMPLES];
    float overlap[HOP];
    int32_t scale; /* both are 2^scale times what came in and goes out */
};

uint32_t sordino_channel_bytes(void)
{
    return (uint32_t)sizeof(sordino_channel);
}

void sordino_join(sordino_channel *channel, const sordino_state *state)
{
    const sordino_treatment t = sordino_last_treatment(state);
    __builtin_memcpy(channel->samples, t.samples, sizeof channel->samples);
    __builtin_memcpy(channel->overlap, t.overlap, sizeof channel->overlap);
    channel->scale = t.scale;
}

static void set_scale(sordino_channel *channel, int32_t scale)
{
    if (scale == channel->scale) return;
    const float factor = sordino_power_of_two(scale - channel->scale);
    sordino_multiply(channel->samples, SAMPLES, factor);
    sordino_multiply(channel->overlap, HOP, factor);
    channel->scale = scale;
}

void sordino_follow(sordino_channel *channel, float *out, const float *in, const sordino_state *state)
{
    float re[PADDED_BINS], im[PADDED_BINS], comb_re[PADDED_BINS], comb_im[PADDED_BINS];
    float combed[WINDOW], energy[PADDED_BANDS];
    const sordino_treatment t = sordino_last_treatment(state);
    const float *centre = channel->samples + SAMPLES - WINDOW - HOP * t.look_ahead;
    const float scale = sordino_power_of_two(t.scale);
    set_scale(channel, t.scale);
    __builtin_memmove(channel->samples, channel->samples + HOP, sizeof channel->samples - HOP * sizeof(float));
    for (int n = 0; n < HOP; n++) channel->samples[SAMPLES - HOP + n] = scale * guard(in[n]);
    sordino_analyse(re, im, centre);
    sordino_band_energy(energy, re, im);
    sordino_comb(combed, centre, t.period, t.look_ahead);
    sordino_analyse(comb_re, comb_im, combed);
    sordino_mix_comb(re, im, comb_re, comb_im, t.strength);
    sordino_apply_gains(re, im, energy, t.gain);
    sordino_synthesise(out, channel->overlap, re, im);
    sordino_multiply(out, HOP, sordino_power_of_two(-t.scale));
}
