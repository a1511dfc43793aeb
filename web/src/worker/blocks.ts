// Worker: re-blocks frames of any length, channel count and rate to 10 ms at one rate; keeps their time stamps.

import { Converter } from "./converter.js";

/** Microseconds, as time stamps of frames are. */
const SECOND = 1e6;

export interface Block {
  /** [channels][samples], at the rate of the blocks. */
  readonly samples: Float32Array[];
  /** Of its first sample, in microseconds. */
  readonly timestamp: number;
}

/** Nothing is delayed but for what does not fill a block yet; a gap in the time stamps stays one. */
export class Blocks {
  readonly rate: number;
  readonly length: number;
  #held: Float32Array[] = [];
  #fill = 0;
  #timestamp = 0;
  #converter: Converter | undefined;
  /** Time stamps at which what the converter has taken, and what it has given, ends. */
  #takenUntil = 0;
  #givenUntil = 0;

  /** rate: of the blocks, Hz */
  constructor(rate: number) {
    this.rate = rate;
    this.length = Math.round(rate / 100);
  }

  /** Returns the blocks that are full. samples [channels][any number], at `rate` */
  push(samples: readonly Float32Array[], rate: number, timestamp: number): Block[] {
    const blocks = this.#converter && this.#converter.from !== rate ? this.#endConversion() : [];
    if (rate === this.rate) return [...blocks, ...this.#gather(samples, timestamp)];
    if (this.#converter === undefined) {
      this.#converter = new Converter(rate, this.rate);
      this.#takenUntil = this.#givenUntil = timestamp;
    }
    this.#givenUntil += timestamp - this.#takenUntil;
    this.#takenUntil = timestamp + (samples[0]!.length / rate) * SECOND;
    return [...blocks, ...this.#give(this.#converter.push(samples))];
  }

  /** What fills no block, shorter than one; undefined where nothing is left. */
  rest(): Block | undefined {
    if (this.#fill === 0) return undefined;
    const samples = this.#held.map((held) => held.slice(0, this.#fill));
    this.#fill = 0;
    return { samples, timestamp: this.#timestamp };
  }

  #endConversion(): Block[] {
    const rest = this.#converter!.flush();
    this.#converter = undefined;
    return rest.length > 0 ? this.#give(rest) : [];
  }

  #give(converted: readonly Float32Array[]): Block[] {
    const blocks = this.#gather(converted, this.#givenUntil);
    this.#givenUntil += (converted[0]!.length / this.rate) * SECOND;
    return blocks;
  }

  /** A block has the most channels that any of its samples had; a missing channel is the first one. */
  #gather(samples: readonly Float32Array[], timestamp: number): Block[] {
    const blocks: Block[] = [];
    const count = samples[0]!.length;
    for (let done = 0; done < count; ) {
      if (this.#fill === 0) this.#begin(samples.length, timestamp + (done / this.rate) * SECOND);
      while (this.#held.length < samples.length) this.#held.push(this.#held[0]!.slice());
      const part = Math.min(this.length - this.#fill, count - done);
      for (const [c, held] of this.#held.entries()) {
        held.set((samples[c] ?? samples[0]!).subarray(done, done + part), this.#fill);
      }
      this.#fill += part;
      done += part;
      if (this.#fill < this.length) break;
      blocks.push({ samples: this.#held, timestamp: this.#timestamp });
      this.#fill = 0;
    }
    return blocks;
  }

  #begin(channels: number, timestamp: number): void {
    this.#held = Array.from({ length: channels }, () => new Float32Array(this.length));
    this.#timestamp = timestamp;
  }
}
