// Page thread: how often the loudspeaker had nothing to play.

/** What Chromium counts; other browsers do not yet. */
interface PlaybackStats {
  readonly underrunEvents: number;
}

/** By how much the audio's clock must fall further behind the wall clock before it counts, s. It moves in steps itself. */
const TOLERANCE_S = 0.1;

/** Counts since it was made. In browsers without a count of their own: how often the audio's clock fell behind. */
export class Underruns {
  readonly #context: AudioContext & { readonly playbackStats?: PlaybackStats };
  readonly #before: number;
  #fallen = 0;
  /** How far the audio's clock was behind when it was least behind, or at the last underrun; undefined while it stands. */
  #behindS: number | undefined;

  constructor(context: AudioContext) {
    this.#context = context;
    this.#before = this.#context.playbackStats?.underrunEvents ?? 0;
  }

  /** To be called now and then while the sound plays. */
  look(): number {
    const stats = this.#context.playbackStats;
    if (stats) return stats.underrunEvents - this.#before;
    if (this.#context.state !== "running") {
      this.#behindS = undefined;
      return this.#fallen;
    }
    const behindS = performance.now() / 1000 - this.#context.currentTime;
    if (this.#behindS === undefined || behindS < this.#behindS) this.#behindS = behindS;
    if (behindS > this.#behindS + TOLERANCE_S) {
      this.#fallen += 1;
      this.#behindS = behindS;
    }
    return this.#fallen;
  }
}
