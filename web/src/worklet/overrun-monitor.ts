// Audio thread: is the kernel fast enough? Counts frames and their time, and says when to stop.

/** A frame must be done in this share of the time it lasts; the rest is everybody else's. */
const SHARE = 0.8;

/** So much time behind, in milliseconds, and the kernel is stopped. A pause of the whole machine stays below it. */
const DEEPEST_DEBT_MS = 100;

export const FRAME_MS = 10;

export type Verdict = "fine" | "late" | "stop";

/** Time debt: what frames took beyond their share, less what later frames did not need. */
export class OverrunMonitor {
  frames = 0;
  overruns = 0;
  maxMs = 0;
  #totalMs = 0;
  #debtMs = 0;

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

  /** Start without debt; the counters stay. */
  forgive(): void {
    this.#debtMs = 0;
  }

  reset(): void {
    this.frames = this.overruns = this.maxMs = this.#totalMs = this.#debtMs = 0;
  }
}
