// Audio thread: wraps one of the kernel's sample rate converters (wasm/resample.c) and its buffers.

import { type Kernel, views } from "./kernel.js";

/** Most samples per channel that one call of the kernel's resampler takes (wasm/sordino.h). */
const LONGEST_BLOCK = 1024;

/** Converts blocks of several channels. Construct, commit what was reserved, then start(). */
export class Resampler {
  /** Where blocks are written and read: [channels][longest]. Views exist after renew(). */
  input: Float32Array[] = [];
  output: Float32Array[] = [];
  /** Most samples per channel in one block. */
  readonly longest: number;
  readonly #kernel: Kernel;
  readonly #shape: readonly [fromHz: number, toHz: number, channels: number, delay: number];
  readonly #at: number;
  readonly #inputAt: number;
  readonly #outputAt: number;
  readonly #outputLength: number;

  /** reserve: gives addresses; longest: samples per channel that one call will bring at most; delay as in wasm/sordino.h */
  constructor(
    kernel: Kernel,
    reserve: (bytes: number) => number,
    fromHz: number,
    toHz: number,
    channels: number,
    delay: number,
    longest: number,
  ) {
    this.#kernel = kernel;
    this.#shape = [fromHz, toHz, channels, delay];
    this.longest = Math.min(longest, LONGEST_BLOCK);
    this.#outputLength = Math.ceil((this.longest * toHz) / fromHz) + 1;
    this.#at = reserve(kernel.sordino_resampler_bytes(fromHz, toHz, channels, delay));
    this.#inputAt = reserve(channels * this.longest * Float32Array.BYTES_PER_ELEMENT);
    this.#outputAt = reserve(channels * this.#outputLength * Float32Array.BYTES_PER_ELEMENT);
  }

  start(): void {
    this.#kernel.sordino_resampler_init(this.#at, ...this.#shape);
  }

  /** Make the views of the memory anew. */
  renew(): void {
    const channels = this.#shape[2];
    this.input = views(this.#kernel, this.#inputAt, channels, this.longest);
    this.output = views(this.#kernel, this.#outputAt, channels, this.#outputLength);
  }

  reset(): void {
    this.#kernel.sordino_resampler_reset(this.#at);
  }

  /** Convert the first `samples` of input; returns how many samples per channel now stand in output. */
  convert(samples: number): number {
    return this.#kernel.sordino_resample(
      this.#at,
      this.#outputAt,
      this.#outputLength,
      this.#inputAt,
      this.longest,
      samples,
    );
  }
}
