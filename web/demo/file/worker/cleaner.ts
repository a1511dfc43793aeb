// File worker: samples of any rate through the kernel, aligned with the input and as long; the same as cleaned() in
// py/sordino/files/audio.py.

import type { EngineFiles, Settings } from "../../../src/protocol/messages.js";
import { HOP } from "../../../src/protocol/params.js";
import { Engine } from "../../../src/worklet/engine.js";
import { fileDelays } from "../../../src/worklet/schedule.js";

const BLOCK = 512;

/** Takes the samples from..to of each channel; they hold only during the call. */
export type Take = (planes: readonly Float32Array[], from: number, to: number) => void;

export interface Shape {
  readonly sampleRate: number;
  readonly channels: number;
  /** The same gains on all channels, or each on its own. */
  readonly linked: boolean;
}

export class Cleaner {
  readonly #engine: Engine;
  readonly #shape: Shape;
  readonly #take: Take;
  readonly #hop: Float32Array[];
  #fill = 0;
  #heard = 0;
  #given = 0;
  #skip: number;

  private constructor(engine: Engine, shape: Shape, take: Take) {
    this.#engine = engine;
    this.#shape = shape;
    this.#take = take;
    this.#skip = engine.delays.total;
    this.#hop = [...engine.input];
  }

  /** rejects EngineError of web/src/worklet/kernel.ts */
  static async create(files: EngineFiles, shape: Shape, settings: Settings, take: Take): Promise<Cleaner> {
    const { channels, linked, sampleRate } = shape;
    const engine = await Engine.create(files, { channels, linked, realTime: false }, sampleRate, fileDelays);
    engine.apply(settings);
    return new Cleaner(engine, shape, take);
  }

  /** Take `frames` samples of each channel; what is ready goes out. */
  push(planes: readonly Float32Array[], frames: number): void {
    this.#heard += frames;
    this.#advance(planes, frames);
  }

  /** The end: what is still under way goes out. */
  finish(): void {
    const { channels, sampleRate } = this.#shape;
    const silence = Array.from({ length: channels }, () => new Float32Array(BLOCK));
    let rest = this.#engine.delays.total + Math.floor(sampleRate / 50);
    for (; rest > 0; rest -= BLOCK) this.#advance(silence, Math.min(BLOCK, rest));
  }

  #advance(planes: readonly Float32Array[], frames: number): void {
    const { toKernel } = this.#engine;
    if (!toKernel) {
      this.#gather(planes, frames);
      return;
    }
    for (let done = 0; done < frames; done += toKernel.longest) {
      const count = Math.min(toKernel.longest, frames - done);
      for (const [c, input] of toKernel.input.entries()) copyFinite(input, 0, planes[c]!, done, count);
      this.#gather(toKernel.output, toKernel.convert(count));
    }
  }

  /** Append samples at 48 kHz to the hop and work it off whenever it is full. */
  #gather(planes: readonly Float32Array[], count: number): void {
    for (let done = 0; done < count; ) {
      const part = Math.min(HOP - this.#fill, count - done);
      for (const [c, input] of this.#hop.entries()) copyFinite(input, this.#fill, planes[c]!, done, part);
      this.#fill += part;
      done += part;
      if (this.#fill < HOP) return;
      this.#fill = 0;
      this.#engine.processHop(this.#shape.channels);
      this.#giveHop();
    }
  }

  #giveHop(): void {
    const { output, fromKernel } = this.#engine;
    if (!fromKernel) {
      this.#give(output, HOP);
      return;
    }
    for (const [c, input] of fromKernel.input.entries()) input.set(output[c]!);
    this.#give(fromKernel.output, fromKernel.convert(HOP));
  }

  /** All but the latency at the beginning and what goes beyond the length of the input. */
  #give(planes: readonly Float32Array[], count: number): void {
    const from = Math.min(this.#skip, count);
    this.#skip -= from;
    const to = Math.min(count, from + this.#heard - this.#given);
    this.#given += to - from;
    if (to > from) this.#take(planes, from, to);
  }
}

/** What is not finite becomes 0. */
function copyFinite(to: Float32Array, at: number, source: Float32Array, from: number, count: number): void {
  for (let i = 0; i < count; i++) {
    const sample = source[from + i]!;
    to[at + i] = Number.isFinite(sample) ? sample : 0;
  }
}
