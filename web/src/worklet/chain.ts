// Audio thread: the wet path: resamples and re-blocks render quanta to hops, runs the engine, and back.

import { HOP, SAMPLE_RATE } from "../protocol/params.js";
import type { Engine } from "./engine.js";
import type { Resampler } from "./resampler.js";
import { headStart, outputPadding, partsLeft, spreadQuanta } from "./schedule.js";

/** Ring buffer of output samples. */
class Ring {
  #samples: Float32Array[] = [];
  #length = 0;
  #read = 0;
  #write = 0;

  /** Begin with `silence` samples of silence; never more than `longest` wait. */
  configure(channels: number, silence: number, longest: number): void {
    this.#length = longest + 1;
    this.#samples = Array.from({ length: channels }, () => new Float32Array(this.#length));
    this.#read = 0;
    this.#write = silence;
  }

  clear(silence: number): void {
    for (const samples of this.#samples) samples.fill(0);
    this.#read = 0;
    this.#write = silence;
  }

  /** Channels that are not there get the first one, so that they can join without a gap. */
  push(blocks: readonly Float32Array[], channels: number, count: number): void {
    for (let c = 0; c < this.#samples.length; c++) {
      const samples = this.#samples[c]!;
      const block = blocks[c < channels ? c : 0]!;
      let at = this.#write;
      for (let i = 0; i < count; i++) {
        samples[at] = block[i]!;
        at = at + 1 === this.#length ? 0 : at + 1;
      }
    }
    this.#write = (this.#write + count) % this.#length;
  }

  pull(blocks: readonly Float32Array[], channels: number, count: number): void {
    for (let c = 0; c < channels; c++) {
      const samples = this.#samples[c]!;
      const block = blocks[c]!;
      let at = this.#read;
      for (let i = 0; i < count; i++) {
        block[i] = samples[at]!;
        at = at + 1 === this.#length ? 0 : at + 1;
      }
    }
    this.#read = (this.#read + count) % this.#length;
  }
}

/** One engine and everything between it and the render quanta. exchange() allocates nothing. */
export class Chain {
  readonly engine: Engine;
  /** Milliseconds since the last hop was given out. */
  spentMs = 0;
  readonly #rate: number;
  readonly #channels: number;
  readonly #ring = new Ring();
  readonly #phase: number | undefined;
  #padding = 0;
  /** Samples at 48 kHz. */
  #headStart = 0;
  #fill = 0;
  /** Quanta over which a hop is spread, parts of the network, and the quanta since a hop was begun; -1: none is. */
  #quanta = 0;
  #parts = 0;
  #age = -1;

  /**
   * phase: streams of different phases compute in different quanta; undefined: the network is spread over the quanta after
   * the one that completes a hop, which delays the output
   */
  constructor(engine: Engine, channels: number, rate: number, quantum: number, phase: number | undefined) {
    this.engine = engine;
    this.#rate = rate;
    this.#channels = channels;
    this.#phase = phase;
    this.configure(quantum);
  }

  /** Samples between input and output at the context's rate. */
  get latency(): number {
    return this.#padding + this.engine.delays.total;
  }

  /** Drop the current hop and set up for quanta of this length. */
  configure(quantum: number): void {
    const spread = this.#phase === undefined;
    this.#quanta = spread ? spreadQuanta(this.#rate, quantum) : 0;
    this.#padding = outputPadding(this.#rate, quantum, spread);
    this.#headStart = this.#phase === undefined ? 0 : headStart(this.#rate, quantum, this.#phase, this.#padding);
    const hop = Math.ceil(this.#rate / 100) + 1;
    this.#ring.configure(this.#channels, this.#padding, this.#padding + quantum + 2 * hop);
    this.reset();
  }

  reset(): void {
    this.engine.reset();
    for (const input of this.engine.input) input.fill(0);
    this.#ring.clear(this.#padding - (this.#headStart * this.#rate) / SAMPLE_RATE);
    this.#fill = this.#headStart;
    this.#age = -1;
  }

  /**
   * Take one render quantum and give one back.
   *
   * outputs   [channels][quantum] written
   * inputs    [channels][quantum] read; a missing channel is the first one; none is silence
   * returns   hops given out, or -1 when the kernel gave samples that are not finite (outputs are then not written)
   * throws    what the kernel throws when it traps
   */
  exchange(
    outputs: readonly Float32Array[],
    inputs: readonly Float32Array[],
    channels: number,
    quantum: number,
  ): number {
    const { toKernel } = this.engine;
    const longest = toKernel?.longest ?? HOP;
    let hops = this.#continueHop();
    if (hops < 0) return -1;
    for (let done = 0; done < quantum; ) {
      const count = Math.min(longest, quantum - done);
      let more: number;
      if (toKernel) {
        copyBlocks(toKernel.input, inputs, channels, done, count);
        more = this.#gather(toKernel.output, channels, 0, toKernel.convert(count));
      } else {
        more = this.#gather(inputs, channels, done, count);
      }
      if (more < 0) return -1;
      hops += more;
      done += count;
    }
    this.#ring.pull(outputs, channels, quantum);
    return hops;
  }

  /** Append to the hop and begin with it whenever it is full. Returns the hops given out, or -1. */
  #gather(blocks: readonly Float32Array[], channels: number, from: number, count: number): number {
    let hops = 0;
    for (let done = 0; done < count; ) {
      const { input } = this.engine;
      const part = Math.min(HOP - this.#fill, count - done);
      for (let c = 0; c < input.length; c++) {
        copy(input[c]!, this.#fill, blocks[c < channels ? c : 0] ?? blocks[0], from + done, part);
      }
      this.#fill += part;
      done += part;
      if (this.#fill < HOP) break;
      this.#fill = 0;
      const given = this.#beginHop(channels);
      if (given < 0) return -1;
      hops += given;
    }
    return hops;
  }

  /** Begin a hop; finish the previous one first if it is not done. Returns as #gather. */
  #beginHop(channels: number): number {
    const before = this.#age < 0 ? 0 : this.#finishHop();
    if (before < 0) return -1;
    this.#parts = this.engine.begin(channels);
    this.#age = 0;
    const now = this.#workOff();
    return now < 0 ? -1 : before + now;
  }

  /** Continue the current hop, if any, in the next quantum. Returns as #gather. */
  #continueHop(): number {
    if (this.#age < 0) return 0;
    this.#age++;
    return this.#workOff();
  }

  #workOff(): number {
    if (this.#age >= this.#quanta) return this.#finishHop();
    this.engine.advance(partsLeft(this.#parts, this.#age, this.#quanta));
    return 0;
  }

  #finishHop(): number {
    this.#age = -1;
    this.engine.finish();
    return this.#playHop() ? 1 : -1;
  }

  #playHop(): boolean {
    const { output, fromKernel, active: channels } = this.engine;
    for (let c = 0; c < channels; c++) if (!allFinite(output[c]!)) return false;
    if (fromKernel) this.#playConverted(fromKernel, output, channels);
    else this.#ring.push(output, channels, HOP);
    return true;
  }

  #playConverted(fromKernel: Resampler, output: readonly Float32Array[], channels: number): void {
    copyBlocks(fromKernel.input, output, channels, 0, HOP);
    this.#ring.push(fromKernel.output, channels, fromKernel.convert(HOP));
  }
}

/** A sum is finite exactly if its terms are, as long as they are of a sensible size. */
function allFinite(samples: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]!;
  return Number.isFinite(sum);
}

function copy(to: Float32Array, at: number, source: Float32Array | undefined, from: number, count: number): void {
  if (source === undefined) to.fill(0, at, at + count);
  else for (let i = 0; i < count; i++) to[at + i] = source[from + i]!;
}

function copyBlocks(
  to: readonly Float32Array[],
  sources: readonly Float32Array[],
  channels: number,
  from: number,
  count: number,
): void {
  for (let c = 0; c < to.length; c++) copy(to[c]!, 0, sources[c < channels ? c : 0] ?? sources[0], from, count);
}
