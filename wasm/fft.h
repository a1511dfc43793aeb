/* The transform of real samples that stages stft and synthesis share. Samples are packed: the even ones in x_re, the odd
 * ones in x_im, [HALF] each. */
#ifndef SORDINO_FFT_H
#define SORDINO_FFT_H

#include "gen/params.h"

#define HALF (WINDOW / 2)

/* Half spectrum of WINDOW real samples, unscaled. re, im [BINS]; x_re, x_im are overwritten. Reference: fft.real_transform. */
void sordino_real_transform(float *re, float *im, float *x_re, float *x_im);

/* Samples of a half spectrum, so scaled that it undoes sordino_real_transform / HALF. re, im [BINS].
 * Reference: fft.inverse_real_transform. */
void sordino_inverse_real_transform(float *x_re, float *x_im, const float *re, const float *im);

#endif
