// Page thread: by how many samples one signal lags behind another.

const MOST_SAMPLES = 4096;
/** The coarse search tries every so many shifts, which is close enough for speech below 3 kHz. */
const COARSE = 8;
const LOUDEST_S = 0.5;
const SAMPLE_RATE = 48_000;

/**
 * Cross-correlation, sharpened to a sample around the coarse maximum, where the output is loudest.
 *
 * input, output  the same number of samples at 48 kHz; the output may be quieter, filtered and late
 * returns        0 to 4096
 */
export function lagOf(input: Float32Array, output: Float32Array): number {
  const from = loudest(output);
  const span = Math.round(LOUDEST_S * SAMPLE_RATE);
  const at = (lag: number): number => {
    let sum = 0;
    for (let i = from; i < from + span; i++) sum += output[i]! * input[i - lag]!;
    return sum;
  };
  const coarse = best(0, MOST_SAMPLES, COARSE, at);
  return best(Math.max(coarse - 2 * COARSE, 0), Math.min(coarse + 2 * COARSE, MOST_SAMPLES), 1, at);
}

function best(first: number, last: number, step: number, score: (lag: number) => number): number {
  let found = first;
  let highest = Number.NEGATIVE_INFINITY;
  for (let lag = first; lag <= last; lag += step) {
    const value = score(lag);
    if (value <= highest) continue;
    highest = value;
    found = lag;
  }
  return found;
}

/** Where the loudest stretch begins, leaving room for the largest lag before it. */
function loudest(signal: Float32Array): number {
  const span = Math.round(LOUDEST_S * SAMPLE_RATE);
  return best(MOST_SAMPLES, signal.length - span, span / 2, (from) => {
    let power = 0;
    for (let i = from; i < from + span; i++) power += signal[i]! * signal[i]!;
    return power;
  });
}
