// Audio thread: re-blocks render quanta of any length to hops of 480 samples and back, with the least possible delay.

import { HOP } from "../params.js";

/** Works off one hop. Must not throw, must not allocate. */
export interface HopWorker {
  /** output [HOP] is to be written, input [HOP] is to be read; they do not overlap. */
  processHop(output: Float32Array, input: Float32Array): void;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/**
 * Samples by which re-blocking delays the stream: the fewest with which no quantum ever waits for a hop.
 *
 * quantum  samples per render quantum, > 0
 */
export function reblockingDelay(quantum: number): number {
  return HOP - gcd(HOP, quantum);
}

/** One hop being gathered and two hops being played out. Allocates only when constructed. */
export class HopFifo {
  readonly #gathered = new Float32Array(HOP);
  readonly #played = new Float32Array(2 * HOP);
  readonly #slots: readonly [Float32Array, Float32Array];
  #fill = 0;
  #slot: 0 | 1 = 0;
  #read = 0;
  #quantum = 0;

  /** quantum: samples per render quantum that are expected. */
  constructor(quantum: number) {
    this.#slots = [this.#played.subarray(0, HOP), this.#played.subarray(HOP)];
    this.configure(quantum);
  }

  get quantum(): number {
    return this.#quantum;
  }

  get delay(): number {
    return reblockingDelay(this.#quantum);
  }

  /** Forget what is under way and prepare for quanta of this length. */
  configure(quantum: number): void {
    this.#quantum = quantum;
    this.#gathered.fill(0);
    this.#played.fill(0);
    this.#fill = 0;
    this.#slot = 0;
    this.#read = (2 * HOP - this.delay) % (2 * HOP);
  }

  /**
   * Take one render quantum and give one back.
   *
   * output    [quantum] written
   * channels  the input's channels, [quantum] each; their mean is what the worker gets, none is silence
   * worker    called once for every hop that becomes full
   */
  exchange(output: Float32Array, channels: readonly Float32Array[], worker: HopWorker): void {
    let done = 0;
    while (done < output.length) {
      const count = Math.min(HOP - this.#fill, output.length - done);
      this.#gather(channels, done, count);
      if (this.#fill === HOP) {
        worker.processHop(this.#slots[this.#slot], this.#gathered);
        this.#slot = this.#slot === 0 ? 1 : 0;
        this.#fill = 0;
      }
      this.#playOut(output, done, count);
      done += count;
    }
  }

  #gather(channels: readonly Float32Array[], from: number, count: number): void {
    const scale = channels.length > 0 ? 1 / channels.length : 0;
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let c = 0; c < channels.length; c++) sum += channels[c]![from + i]!;
      this.#gathered[this.#fill + i] = sum * scale;
    }
    this.#fill += count;
  }

  #playOut(output: Float32Array, from: number, count: number): void {
    let read = this.#read;
    for (let i = 0; i < count; i++) {
      output[from + i] = this.#played[read]!;
      read = read + 1 === 2 * HOP ? 0 : read + 1;
    }
    this.#read = read;
  }
}
