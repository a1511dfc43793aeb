/* The whole chain on one stream: analyse -> decide -> treat. Calls the stages in order and does no arithmetic of its own.
 * Reference: py/sordino/chain/pipeline.py. */
#include "core/state.h"
#include "guard.h"

#define NEW_DECIMATED (HOP / DECIMATION)

/* What every channel goes through, that of a stream and those that follow one. */

static void set_scale(sordino_channel *channel, int32_t scale)
{
    if (scale == channel->scale) return;
    const float factor = sordino_power_of_two(scale - channel->scale);
    sordino_multiply(channel->samples, SAMPLES, factor);
    sordino_multiply(channel->overlap, HOP, factor);
    channel->scale = scale;
}

static void hear(sordino_channel *channel, const float *hop)
{
    float *newest = channel->samples + SAMPLES - HOP;
    __builtin_memmove(channel->samples, channel->samples + HOP, sizeof channel->samples - HOP * sizeof(float));
    __builtin_memcpy(newest, hop, HOP * sizeof(float));
    sordino_multiply(newest, HOP, sordino_power_of_two(channel->scale));
}

/* First sample of the output frame. */
static const float *output_frame(const sordino_channel *channel, int32_t look_ahead)
{
    return channel->samples + SAMPLES - WINDOW - HOP * look_ahead;
}

static void observe(sordino_frame *frame, const float *samples)
{
    sordino_analyse(frame->re, frame->im, samples);
    sordino_band_energy(frame->energy, frame->re, frame->im);
}

static void observe_comb(float *re, float *im, const float *samples, int32_t period, int32_t look_ahead)
{
    float combed[WINDOW];
    sordino_comb(combed, samples, period, look_ahead);
    sordino_analyse(re, im, combed);
}

static void apply(float *out, sordino_channel *channel, sordino_frame *frame, const float *comb_re, const float *comb_im,
                  const sordino_treatment *treatment)
{
    sordino_mix_comb(frame->re, frame->im, comb_re, comb_im, treatment->strength);
    sordino_apply_gains(frame->re, frame->im, frame->energy, treatment->gain);
    sordino_synthesise(out, channel->overlap, frame->re, frame->im);
    sordino_multiply(out, HOP, sordino_power_of_two(-channel->scale));
}

/* analyse */

/* Follow the level; where the scale changes, bring what is remembered to the new one. */
static void set_level(sordino_state *s, const float *hop)
{
    const sordino_level before = s->level;
    sordino_follow_level(&s->level, hop);
    if (s->level.scale == before.scale) return;
    const float factor = sordino_power_of_two(s->level.scale - before.scale);
    const float power = before.peak == SILENT_PEAK ? 0.0f : factor * factor;
    set_scale(&s->sound, s->level.scale);
    sordino_multiply(s->decimated, PITCH_HISTORY, factor);
    sordino_multiply(s->noise_memory, 2, power);
    for (int i = 0; i <= s->look_ahead; i++) {
        sordino_multiply(s->frames[i].re, PADDED_BINS, factor);
        sordino_multiply(s->frames[i].im, PADDED_BINS, factor);
        sordino_multiply(s->frames[i].energy, PADDED_BANDS, power);
    }
}

static void follow_pitch(sordino_state *s)
{
    float correlation[LAGS];
    __builtin_memmove(s->decimated, s->decimated + NEW_DECIMATED, sizeof s->decimated - NEW_DECIMATED * sizeof(float));
    sordino_decimate(s->decimated + PITCH_HISTORY - NEW_DECIMATED,
                     s->sound.samples + SAMPLES - (HOP + DECIMATION_TAPS - DECIMATION));
    sordino_correlate(correlation, s->decimated);
    __builtin_memmove(s->origins[1], s->origins[0], sizeof s->origins - LAGS);
    sordino_track(s->score, s->origins[0], correlation);
    const int32_t lag = sordino_trace_back(s->score, s->origins[0], s->look_ahead);
    s->analysis.period = sordino_refine(&s->analysis.correlation, output_frame(&s->sound, s->look_ahead), lag);
}

static void compare_with_comb(sordino_state *s, float *coherence)
{
    float energy[PADDED_BANDS], cross[PADDED_BANDS];
    const sordino_frame *now = &s->frames[0];
    sordino_analysis *a = &s->analysis;
    observe_comb(a->comb_re, a->comb_im, output_frame(&s->sound, s->look_ahead), a->period, s->look_ahead);
    sordino_band_energy(energy, a->comb_re, a->comb_im);
    sordino_band_cross(cross, now->re, now->im, a->comb_re, a->comb_im);
    sordino_coherence(coherence, now->energy, energy, cross);
}

static void analyse(sordino_state *s, const sordino_io *io)
{
    float hop[HOP], coherence[PADDED_BANDS];
    sordino_frame *newest = &s->frames[s->look_ahead];
    sordino_analysis *a = &s->analysis;
    guard_hop(hop, io->near);
    set_level(s, hop);
    hear(&s->sound, hop);
    __builtin_memmove(s->frames, s->frames + 1, (uint32_t)s->look_ahead * sizeof(sordino_frame));
    observe(newest, s->sound.samples + SAMPLES - WINDOW);
    follow_pitch(s);
    compare_with_comb(s, coherence);
    sordino_features(a->features, newest->energy, coherence, a->period, a->correlation);
    sordino_normalise(a->features, a->features, s->weights.offset, s->weights.factor);
    s->parts_left = s->weights.network->parts;
}

/* decide: the network, core/batch.c */

static void decide(sordino_state *s)
{
    while (sordino_advance(s) > 0) continue;
}

/* treat */

static void settle(sordino_state *s)
{
    const sordino_decision *d = &s->decision;
    sordino_treatment *t = &s->treatment;
    const float *energy = s->frames[0].energy;
    sordino_lift_gains(t->gain, d->gain, sordino_onset(s->onset_memory, d->voice));
    const float sharpening = sordino_noise_share(s->noise_memory, t->gain, energy);
    for (int pass = 0; pass < s->post_filter; pass++) sordino_postfilter(t->gain, t->gain, energy, sharpening);
    sordino_hold_back(t->gain, s->heard);
    s->heard = sordino_count_sound(s->heard, energy);
    __builtin_memcpy(t->strength, d->strength, sizeof t->strength);
    sordino_limit_gains(t->gain, t->strength, s->floor_gain);
    t->look_ahead = s->look_ahead;
    t->period = s->analysis.period;
    t->scale = s->level.scale;
}

/* Fill the read-outs: a line for each of gen/readouts.h. */
static void tell(sordino_state *s)
{
    sordino_readouts *r = &s->readouts;
    r->voice = s->decision.voice;
    __builtin_memcpy(r->gains, s->decision.gain, sizeof r->gains);
    __builtin_memcpy(r->strengths, s->decision.strength, sizeof r->strengths);
    r->pitch_period = (float)s->analysis.period;
    r->pitch_correlation = s->analysis.correlation;
}

static void treat(sordino_state *s, const sordino_io *io)
{
    settle(s);
    apply(io->out, &s->sound, &s->frames[0], s->analysis.comb_re, s->analysis.comb_im, &s->treatment);
    tell(s);
    if (io->readouts) *io->readouts = s->readouts;
}

void sordino_run(sordino_state *s, const sordino_io *io)
{
    analyse(s, io);
    decide(s);
    treat(s, io);
}

void sordino_process(sordino_state *s, float *out, const float *in)
{
    sordino_run(s, &(sordino_io){.near = in, .out = out});
}

int32_t sordino_begin(sordino_state *s, const float *in)
{
    analyse(s, &(sordino_io){.near = in});
    return s->parts_left;
}

void sordino_finish(sordino_state *s, float *out)
{
    decide(s);
    treat(s, &(sordino_io){.out = out});
}

void sordino_follow(sordino_channel *channel, float *out, const float *in, const sordino_state *state)
{
    float hop[HOP], comb_re[PADDED_BINS], comb_im[PADDED_BINS];
    sordino_frame frame;
    const sordino_treatment *t = &state->treatment;
    const float *samples = output_frame(channel, t->look_ahead);
    guard_hop(hop, in);
    set_scale(channel, t->scale);
    hear(channel, hop);
    observe(&frame, samples);
    observe_comb(comb_re, comb_im, samples, t->period, t->look_ahead);
    apply(out, channel, &frame, comb_re, comb_im, t);
}
