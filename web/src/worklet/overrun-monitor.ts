// Audio thread: measures processing time per frame, counts overruns, decides when the kernel must stop.

/** Time budget of a frame, as a share of its duration. */
const SHARE = 0.8;

/** Time debt in milliseconds at which the kernel is stopped; a pause of the whole machine stays below it. */
const DEEPEST_DEBT_MS = 100;

export const FRAME_MS = 10;

/** At most one "overrun" message per this many frames. */
const FRAMES_PER_REPORT = 100;

export type Verdict = "fine" | "late" | "stop";

/** Accumulates time debt: processing time beyond the budget, minus time that later frames saved. */
export class OverrunMonitor {
  frames = 0;
  overruns = 0;
  maxMs = 0;
  #totalMs = 0;
  #debtMs = 0;
  /** Value of `frames` at the last report; 0: none yet. */
  #reported = 0;

  get meanMs(): number {
    return this.frames > 0 ? this.#totalMs / this.frames : 0;
  }

  /** `frames` frames took spentMs. "late": longer than they last; "stop": behind for too long. */
  note(frames: number, spentMs: number): Verdict {
    this.frames += frames;
    this.#totalMs += spentMs;
    if (spentMs / frames > this.maxMs) this.maxMs = spentMs / frames;
    this.#debtMs = Math.max(0, this.#debtMs + spentMs - SHARE * FRAME_MS * frames);
    if (this.#debtMs > DEEPEST_DEBT_MS) return "stop";
    if (spentMs <= FRAME_MS * frames) return "fine";
    this.overruns += frames;
    return "late";
  }

  /** Whether an overrun is to be reported now; always where the kernel is stopped. Counts as reported if so. */
  takeReport(stop: boolean): boolean {
    const due = stop || this.#reported === 0 || this.frames - this.#reported >= FRAMES_PER_REPORT;
    if (due) this.#reported = this.frames;
    return due;
  }

  /** Start without debt; the counters stay. */
  forgive(): void {
    this.#debtMs = 0;
  }

  reset(): void {
    this.#reported = 0;
    this.frames = this.overruns = this.maxMs = this.#totalMs = this.#debtMs = 0;
  }
}
