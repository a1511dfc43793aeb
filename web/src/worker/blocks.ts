// Worker: frames of any length, channel count and rate become blocks of 10 ms of one rate, which keep their time.

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
  #convertedUntil = 0;

  /** rate: of the blocks, Hz */
  constructor(rate: number) {
    this.rate = rate;
    this.length = Math.round(rate / 100);
  }

  /** Returns the blocks that are full. samples [channels][any number], at `rate` */
  push(samples: readonly Float32Array[], rate: number, timestamp: number): Block[] {
    const blocks = this.#converter && this.#converter.from !== rate ? this.#endConversion() : [];
    if (rate === this.rate) return [...blocks, ...this.#gather(samples, timestamp)];
    this.#converter ??= new Converter(rate, this.rate);
    const converted = this.#converter.push(samples);
    const end = timestamp + (samples[0]!.length / rate) * SECOND;
    const from = Math.max(timestamp, Math.min(this.#convertedUntil || timestamp, end));
    this.#convertedUntil = end;
    return [...blocks, ...this.#gather(converted, from)];
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
    const at = this.#convertedUntil;
    this.#converter = undefined;
    this.#convertedUntil = 0;
    return rest.length > 0 ? this.#gather(rest, at) : [];
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
