// Audio thread: computes latencies and which quantum does what work, from rates and block lengths alone.

import { HOP, RESAMPLE_HALF, SAMPLE_RATE } from "../protocol/params.js";

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
 * rate       of the context, Hz
 * quantum    samples per render quantum
 * headStart  samples at 48 kHz that the first hop holds before anything went in
 */
export function reblockingDelay(rate: number, quantum: number, headStart = 0): number {
  const before = resampled(headStart, SAMPLE_RATE, rate);
  let delay = 0;
  for (let count = quantum, i = 0; i < SIMULATED_QUANTA; i++, count += quantum) {
    const hops = Math.floor((headStart + resampled(count, rate, SAMPLE_RATE)) / HOP);
    const missing = before + count - resampled(hops * HOP, SAMPLE_RATE, rate);
    if (missing > delay) delay = missing;
    if (missing === before) break;
  }
  return delay;
}

/** Phases, so the most streams of one scope whose hops fall into different quanta; further streams share phases. */
export const PHASES = 4;

/**
 * Samples of silence at 48 kHz in the first hop of a stream, so that its hops are complete in other quanta than those
 * of the other phases. Whole samples at both rates; 0 where nothing would be gained, or latency lost.
 *
 * rate     of the context, Hz
 * quantum  samples per render quantum
 * phase    0..PHASES - 1
 * delay    reblockingDelay(rate, quantum)
 */
export function headStart(rate: number, quantum: number, phase: number, delay: number): number {
  const each = (quantum * SAMPLE_RATE) / rate;
  const step = Number.isInteger(each) ? each : SAMPLE_RATE / commonDivisor(SAMPLE_RATE, rate);
  const wanted = Math.round((phase * HOP) / PHASES / step) * step;
  if (wanted === 0 || wanted >= HOP) return 0;
  return reblockingDelay(rate, quantum, wanted) > delay ? 0 : wanted;
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/**
 * Quanta after the one that completes a hop over which its network can be spread, so that it is done before the next
 * hop is complete: 3 at 48 kHz and a quantum of 128; 0 where a quantum is not shorter than a hop.
 */
export function spreadQuanta(rate: number, quantum: number): number {
  return Math.max(0, Math.ceil((HOP * rate) / SAMPLE_RATE / quantum) - 1);
}

/**
 * Samples of silence that are played before the first output: what re-blocking needs, and whole quanta where the network
 * is spread. The latency of a stream is this and chainDelays().total; nothing else delays it.
 */
export function outputPadding(rate: number, quantum: number, spread: boolean): number {
  return reblockingDelay(rate, quantum) + (spread ? spreadQuanta(rate, quantum) * quantum : 0);
}

/** What the analysis before the network costs and what comes after it, in parts of the network. */
const BEGIN_PARTS = 1.2;
const FINISH_PARTS = 0.5;

/**
 * Parts of the network that are left after a quantum, when all quanta of a hop are to do about the same.
 *
 * parts    of the network
 * age      quanta since the one that completed the hop, 0..quanta
 * quanta   as from spreadQuanta
 */
export function partsLeft(parts: number, age: number, quanta: number): number {
  const share = (BEGIN_PARTS + parts + FINISH_PARTS) / (quanta + 1);
  const done = Math.round(share * (age + 1) - BEGIN_PARTS);
  return Math.max(0, Math.min(parts, parts - done));
}

export interface Delays {
  /** Of the resampler to 48 kHz, in samples of the context. */
  readonly toKernel: number;
  /** Of the resampler back, in samples at 48 kHz; stretched a little so that the sum is a whole number. */
  readonly fromKernel: number;
  /** Both resamplers and the kernel, in samples of the context. */
  readonly total: number;
}

/**
 * Delays of a stream: the resampler back makes the sum a whole number.
 *
 * rate    of the context, Hz
 * kernel  its latency, samples at 48 kHz
 */
export function chainDelays(rate: number, kernel: number): Delays {
  if (rate === SAMPLE_RATE) return { toKernel: 0, fromKernel: 0, total: kernel };
  const ratio = rate / SAMPLE_RATE;
  const toKernel = RESAMPLE_HALF * Math.max(1, ratio);
  const shortest = RESAMPLE_HALF * Math.max(1, 1 / ratio);
  const sum = toKernel + (shortest + kernel) * ratio;
  const total = Math.ceil(sum - 1e-9);
  return { toKernel, fromKernel: shortest + Math.max(0, total - sum) / ratio, total };
}

/**
 * Delays of a file, as of resampler_delays in py/sordino/run/stream.py, to the last bit: the resampler to 48 kHz makes the
 * sum a whole number, so that a cleaned file has the bytes of `sordino denoise`. rate, kernel: as of chainDelays
 */
export function fileDelays(rate: number, kernel: number): Delays {
  if (rate === SAMPLE_RATE) return { toKernel: 0, fromKernel: 0, total: kernel };
  const fromKernel = RESAMPLE_HALF * Math.max(1, SAMPLE_RATE / rate);
  const least = RESAMPLE_HALF * Math.max(1, rate / SAMPLE_RATE);
  const beyond = ((kernel + fromKernel) * rate) / SAMPLE_RATE;
  const total = Math.ceil(least + beyond);
  return { toKernel: Math.max(least, total - beyond), fromKernel, total };
}
