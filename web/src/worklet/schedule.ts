// Audio thread: how long the signal is under way. Pure arithmetic on rates and block lengths.

import { HOP, RESAMPLE_HALF, SAMPLE_RATE } from "../params.js";

/** Quanta that are simulated; every usual rate and quantum repeats sooner. */
const SIMULATED_QUANTA = 20_000;

/** Samples that a resampler has given after `count` samples went in. */
function resampled(count: number, from: number, to: number): number {
  return from === to ? count : Math.ceil((count * to) / from);
}

/**
 * Samples to play before the first output so that no quantum ever waits: the largest gap between what went in and what
 * has come back. At 48 kHz this is HOP - gcd(HOP, quantum).
 *
 * rate     of the context, Hz
 * quantum  samples per render quantum
 */
export function reblockingDelay(rate: number, quantum: number): number {
  let delay = 0;
  for (let count = quantum, i = 0; i < SIMULATED_QUANTA; i++, count += quantum) {
    const hops = Math.floor(resampled(count, rate, SAMPLE_RATE) / HOP);
    const missing = count - resampled(hops * HOP, SAMPLE_RATE, rate);
    if (missing > delay) delay = missing;
    if (missing === 0) break;
  }
  return delay;
}

export interface Delays {
  /** Of the resampler to 48 kHz, in samples of the context. */
  readonly toKernel: number;
  /** Of the resampler back, in samples at 48 kHz; stretched a little so that the sum is a whole number. */
  readonly fromKernel: number;
  /** Both resamplers and the kernel, in samples of the context. */
  readonly total: number;
}

/** rate of the context, Hz; kernel: its latency, samples at 48 kHz */
export function chainDelays(rate: number, kernel: number): Delays {
  if (rate === SAMPLE_RATE) return { toKernel: 0, fromKernel: 0, total: kernel };
  const ratio = rate / SAMPLE_RATE;
  const toKernel = RESAMPLE_HALF * Math.max(1, ratio);
  const shortest = RESAMPLE_HALF * Math.max(1, 1 / ratio);
  const sum = toKernel + (shortest + kernel) * ratio;
  const total = Math.ceil(sum - 1e-9);
  return { toKernel, fromKernel: shortest + Math.max(0, total - sum) / ratio, total };
}
