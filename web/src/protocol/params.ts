// The few constants both threads need. Their home is py/sordino/params.py; web/build.mjs refuses to build when they differ.

/** Samples per second that the kernel works at. */
export const SAMPLE_RATE = 48_000;

/** Samples per hop, the kernel's unit of work (10 ms). */
export const HOP = 480;

/** Most frames that are heard before a frame is decided on. */
export const MAX_LOOK_AHEAD = 2;

/** Bands that gains and strengths are given for. */
export const BANDS = 34;

/** Samples of the lower rate on each side of the resampling filter's centre. */
export const RESAMPLE_HALF = 32;
