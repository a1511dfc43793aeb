// Page thread: whether and when to try again after a failure.

import type { SordinoError, SordinoErrorCode } from "../protocol/errors.js";

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** After so long without a failure the pauses begin anew. */
const QUIET_MS = 60_000;
/** What stays as it is however often it is tried; only the page may know better. */
const LASTING: readonly SordinoErrorCode[] = ["aborted", "option", "unsupported", "sample-rate"];

/** One planned attempt at a time; every further failure doubles the pause. */
export class Backoff {
  readonly #attempt: () => void;
  readonly #firstMs: number;
  readonly #scale: number;
  #nextMs: number;
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** scale: all times are so many times as long */
  constructor(attempt: () => void, firstMs: number = FIRST_PAUSE_MS, scale = 1) {
    this.#attempt = attempt;
    this.#firstMs = scale * firstMs;
    this.#scale = scale;
    this.#nextMs = this.#firstMs;
  }

  /** Plan an attempt, unless the cause of the failure lasts. Returns the milliseconds until then; undefined: none. */
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

  /** Attempt at once, instead of what was planned. */
  now(): void {
    this.cancel();
    this.#attempt();
  }
}
