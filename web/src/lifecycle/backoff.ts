// Page thread: retry timer with exponential back-off.

import type { SordinoError, SordinoErrorCode } from "../protocol/errors.js";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** Without a failure for this long, the next pause is the first one again. */
const QUIET_MS = 60_000;
/** Permanent causes: not retried by timer, only by retry(). */
const LASTING: readonly SordinoErrorCode[] = ["aborted", "option", "unsupported", "sample-rate"];

/** At most one scheduled attempt; each further failure doubles the pause. */
export class Backoff {
  readonly #attempt: () => void;
  readonly #firstMs: number;
  readonly #scale: number;
  #nextMs: number;
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** scale: factor on all times */
  constructor(attempt: () => void, firstMs: number = FIRST_PAUSE_MS, scale = 1) {
    this.#attempt = attempt;
    this.#firstMs = scale * firstMs;
    this.#scale = scale;
    this.#nextMs = this.#firstMs;
  }

  /** Schedule an attempt unless the cause is permanent. Returns the pause in milliseconds; undefined: none scheduled. */
  plan(cause?: SordinoError): number | undefined {
    this.cancel();
    if (cause && LASTING.includes(cause.code)) return undefined;
    const now = Date.now();
    if (now - this.#last > this.#scale * QUIET_MS) this.#nextMs = this.#firstMs;
    this.#last = now;
    const pause = this.#nextMs;
    this.#nextMs = Math.min(this.#scale * LONGEST_PAUSE_MS, 2 * pause);
    this.#timer = setTimeout(this.#attempt, pause);
    return pause;
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Run the attempt now and cancel the scheduled one. */
  now(): void {
    this.cancel();
    this.#attempt();
  }
}
