// Audio thread: cross-fades the aligned dry and wet signals, and smooths steps where one of them is lost at once.

/** All fades last one hop. Works on up to eight channels; allocates only when constructed. */
export class DryWetFade {
  readonly #fade: number;
  readonly #last: Float32Array;
  readonly #step: Float32Array;
  /** Share of the cleaned signal at the end of the last quantum, 0 unchanged to 1 cleaned. */
  #share = 0;
  /** Samples of the step that are still to be levelled. */
  #levelling = 0;
  #jumped = false;

  /** fade: samples that a fade lasts */
  constructor(channels: number, fade: number) {
    this.#fade = fade;
    this.#last = new Float32Array(channels);
    this.#step = new Float32Array(channels);
  }

  get share(): number {
    return this.#share;
  }

  /** Before anything was heard: 0 unchanged to 1 cleaned. */
  set(share: number): void {
    this.#share = share;
  }

  /** The next quantum does not continue the last one: spread the step over one fade. share: from now on */
  jump(share: number): void {
    this.#share = share;
    this.#jumped = true;
  }

  /** Write dry or wet or, while share moves to target, both. All [channels][quantum]. */
  mix(
    outputs: readonly Float32Array[],
    dry: readonly Float32Array[],
    wet: readonly Float32Array[],
    target: number,
    channels: number,
    quantum: number,
  ): void {
    const slope = Math.sign(target - this.#share) / this.#fade;
    let end = this.#share;
    for (let c = 0; c < channels; c++) {
      const output = outputs[c]!;
      if (this.#share === target) {
        copyFrom(output, target === 1 ? wet[c]! : dry[c]!, quantum);
        continue;
      }
      let share = this.#share;
      for (let i = 0; i < quantum; i++) {
        share = slope > 0 ? Math.min(target, share + slope) : Math.max(target, share + slope);
        output[i] = share * wet[c]![i]! + (1 - share) * dry[c]![i]!;
      }
      end = share;
    }
    this.#share = end;
    this.#level(outputs, channels, quantum);
  }

  #level(outputs: readonly Float32Array[], channels: number, quantum: number): void {
    if (this.#jumped) {
      for (let c = 0; c < channels; c++) this.#step[c] = this.#last[c]! - outputs[c]![0]!;
      this.#levelling = this.#fade;
      this.#jumped = false;
    }
    const count = Math.min(this.#levelling, quantum);
    for (let c = 0; c < channels; c++) {
      for (let i = 0; i < count; i++) outputs[c]![i]! += this.#step[c]! * curve((this.#levelling - i) / this.#fade);
      this.#last[c] = outputs[c]![quantum - 1]!;
    }
    this.#levelling -= count;
  }
}

/** Falls from 1 to 0 with x, flat at both ends. */
function curve(x: number): number {
  return x * x * (3 - 2 * x);
}

export function copyFrom(output: Float32Array, source: Float32Array, count: number): void {
  for (let i = 0; i < count; i++) output[i] = source[i]!;
}

/** Fade wet from one engine's output to another's. a, b [channels][quantum]; a is overwritten. from, to: share of b. */
export function crossfade(
  a: readonly Float32Array[],
  b: readonly Float32Array[],
  from: number,
  to: number,
  channels: number,
  quantum: number,
): void {
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < quantum; i++) {
      const share = from + ((to - from) * (i + 1)) / quantum;
      a[c]![i] = (1 - share) * a[c]![i]! + share * b[c]![i]!;
    }
  }
}
