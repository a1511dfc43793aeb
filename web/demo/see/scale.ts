// Painter and page: the axes of the pictures.

/** Seconds that fit into the pictures. */
export const SPAN_S = 6;
/** The rate of the network, whose hop is one column, and of what it says; the sound may come at another rate. */
export const SAMPLE_RATE = 48_000;
export const COLUMN_S = 0.01;
/** Gains and strengths of the network, from low to high. */
export const BANDS = 34;
/** Power of a sine of full scale is 0 dB. */
export const QUIET_DB = -96;
export const LOUD_DB = -24;
/** Frequency at the upper edge; the scale is quadratic, so 1 kHz lies at a quarter of the height and 4 kHz at half. */
export const TOP_HZ = 16_000;
export const LOWEST_PITCH_HZ = 60;
export const HIGHEST_PITCH_HZ = 500;

/** Samples from one column to the next. */
export function columnSamples(sampleRate: number): number {
  return Math.round(COLUMN_S * sampleRate);
}

/** up: 0 at the lower edge, 1 at the upper. */
export function hzAt(up: number): number {
  return TOP_HZ * up * up;
}

/** Height of a pitch in its track, 0 to 1, on a logarithmic scale. */
export function pitchHeight(hz: number): number {
  return Math.log(hz / LOWEST_PITCH_HZ) / Math.log(HIGHEST_PITCH_HZ / LOWEST_PITCH_HZ);
}
