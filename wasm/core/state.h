/* What a stream carries from hop to hop, and the records that pipeline.c hands from step to step.
 * Reference: py/sordino/chain/records.py. */
#ifndef SORDINO_STATE_H
#define SORDINO_STATE_H

#include "core/weights.h"
#include "sordino.h"
#include "stages.h"

#define FRAMES (MAX_LOOK_AHEAD + 1)

/* Samples that a channel remembers. */
#define SAMPLES (HISTORY + WINDOW + HOP * MAX_LOOK_AHEAD)

/* Spectrum and band energies of one frame. */
typedef struct {
    float re[PADDED_BINS], im[PADDED_BINS], energy[PADDED_BANDS];
} sordino_frame;

/* The sound of one channel: that of a stream, or of a channel that follows one. */
struct sordino_channel {
    _Alignas(16) float samples[SAMPLES]; /* the newest last */
    float overlap[HOP];                  /* second half of the last frame */
    int32_t scale;                       /* both are 2^scale times what came in and goes out */
};

/* What the analysis finds about the output frame, besides its spectrum. */
typedef struct {
    float comb_re[PADDED_BINS], comb_im[PADDED_BINS];
    float features[PADDED_FEATURES]; /* normalised */
    int32_t period;                  /* of the pitch, samples */
    float correlation;
} sordino_analysis;

/* How the output frame is treated, the same on every channel. */
typedef struct {
    float gain[PADDED_BANDS], strength[PADDED_BANDS]; /* after onset, post-filter, start and limit */
    int32_t look_ahead, period, scale;
} sordino_treatment;

/* What finds the delay of the echo. Reference: delay.DelayState. The rows of `played` are a ring, the newest at `newest`. */
struct sordino_delay {
    _Alignas(16) float near[WINDOW], far[WINDOW]; /* newest samples */
    float played_re[DELAYS][DELAY_BINS], played_im[DELAYS][DELAY_BINS];
    float cross_re[DELAYS][DELAY_BINS], cross_im[DELAYS][DELAY_BINS];
    float loudest;
    int32_t newest, silent, delay, candidate, hops;
};

#define PLAYED (DELAYS + ECHO_PARTS)

/* What takes out the echo. Reference: echo.EchoState. The rows of `played` are a ring, the newest at `newest`. */
struct sordino_echo {
    sordino_delay late;
    float far[WINDOW]; /* newest samples */
    float played_re[PLAYED][ECHO_BINS], played_im[PLAYED][ECHO_BINS];
    float path_re[ECHO_PARTS][ECHO_BINS], path_im[ECHO_PARTS][ECHO_BINS], doubt[ECHO_PARTS][ECHO_BINS];
    float near[ECHO_BINS]; /* power of all that is no echo */
    float powers[3];       /* of the microphone, of what is left of it, of the far end: see echo.c */
    float kept;            /* share of the estimate that is taken out */
    int32_t newest;
    int32_t start; /* of the filter, or SORDINO_DELAY_UNKNOWN */
    int32_t turn, lost;
};

struct sordino_state {
    /* fixed by sordino_init */
    sordino_weights weights;
    /* chosen by the caller */
    int32_t look_ahead;
    int32_t post_filter;
    float floor_gain;
    /* carried from hop to hop */
    sordino_channel sound;
    sordino_level level;
    float decimated[PITCH_HISTORY];
    sordino_frame frames[FRAMES]; /* the output frame first */
    float score[LAGS];
    uint8_t origins[FRAMES][LAGS]; /* the newest first */
    float onset_memory[2];
    float noise_memory[2];
    int32_t heard;      /* hops with sound */
    int32_t parts_left; /* of the network's step */
    _Alignas(16) uint8_t network_state[SORDINO_NETWORK_STATE_BYTES];
    /* of the output frame */
    sordino_analysis analysis;
    sordino_decision decision;
    sordino_treatment treatment;
    sordino_readouts readouts;
};

#endif
