// Audio thread: one hop through the kernel, beside an unchanged copy with the same latency for bypass and for failures.

import type { Failure, Readout, Settings } from "../messages.js";
import { HOP } from "../params.js";
import type { Engine } from "./engine.js";
import type { HopWorker } from "./fifo.js";

/** Delays hops by a fixed number of samples. */
class DelayLine {
  readonly #ring: Float32Array;
  readonly #samples: number;
  #write = 0;

  constructor(samples: number) {
    this.#samples = samples;
    this.#ring = new Float32Array((Math.ceil(samples / HOP) + 1) * HOP);
  }

  clear(): void {
    this.#ring.fill(0);
  }

  /** output [HOP] becomes what input [HOP] was `samples` ago. */
  process(output: Float32Array, input: Float32Array): void {
    const ring = this.#ring;
    ring.set(input, this.#write);
    let read = (this.#write + ring.length - this.#samples) % ring.length;
    for (let i = 0; i < HOP; i++) {
      output[i] = ring[read]!;
      read = read + 1 === ring.length ? 0 : read + 1;
    }
    this.#write = (this.#write + HOP) % ring.length;
  }
}

function energy(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! * samples[i]!;
  return sum;
}

function levelDb(sum: number, samples: number): number {
  return samples > 0 ? 10 * Math.log10(sum / samples) : Number.NEGATIVE_INFINITY;
}

/** What one node does with its hops. processHop() allocates only when it reports the one failure that ends the kernel's work. */
export class Stream implements HopWorker {
  readonly #engine: Engine;
  readonly #onFailure: (failure: Failure) => void;
  readonly #dryDelay: DelayLine;
  readonly #dry = new Float32Array(HOP);
  readonly #wet = new Float32Array(HOP);
  #settings: Settings;
  #failed = false;
  /** Share of the unchanged signal at the end of the last hop, 0 or 1. */
  #dryShare: number;
  #frames = 0;
  #totalMs = 0;
  #maxMs = 0;
  #inputEnergy = 0;
  #outputEnergy = 0;
  #measured = 0;

  /**
   * engine     freshly made
   * settings   as the page wants them
   * onFailure  called on the audio thread, at most once between two resets
   */
  constructor(engine: Engine, settings: Settings, onFailure: (failure: Failure) => void) {
    this.#engine = engine;
    this.#onFailure = onFailure;
    this.#dryDelay = new DelayLine(engine.latency);
    this.#settings = settings;
    this.#dryShare = settings.bypass ? 1 : 0;
    engine.apply(settings);
  }

  get latency(): number {
    return this.#engine.latency;
  }

  apply(settings: Settings): void {
    this.#settings = settings;
    if (!this.#failed) this.#engine.apply(settings);
  }

  /** Forget the past: the kernel's state, the delayed copy, the counters and an earlier failure. */
  reset(): void {
    this.#failed = false;
    this.#dryDelay.clear();
    this.#dryShare = this.#settings.bypass ? 1 : 0;
    this.#frames = this.#totalMs = this.#maxMs = 0;
    this.#inputEnergy = this.#outputEnergy = this.#measured = 0;
    try {
      this.#engine.reset();
      this.#engine.apply(this.#settings);
    } catch (cause) {
      this.#fail(`the kernel trapped in reset: ${cause}`);
    }
  }

  processHop(output: Float32Array, input: Float32Array): void {
    this.#dryDelay.process(this.#dry, input);
    if (!this.#failed) this.#runKernel(input);
    if (this.#failed) this.#dryShare = 1;
    this.#mix(output, this.#failed || this.#settings.bypass ? 1 : 0);
    this.#inputEnergy += energy(this.#dry);
    this.#outputEnergy += energy(output);
    this.#measured += HOP;
  }

  /** Answer the page. Runs in a message handler, never inside process(). */
  read(): Readout {
    const engine = this.#engine;
    const readout: Readout = {
      inputDb: levelDb(this.#inputEnergy, this.#measured),
      outputDb: levelDb(this.#outputEnergy, this.#measured),
      voice: engine.voice,
      pitchPeriod: engine.pitchPeriod,
      pitchCorrelation: engine.pitchCorrelation,
      gains: engine.gains.slice(),
      strengths: engine.strengths.slice(),
      stats: {
        frames: this.#frames,
        meanFrameMs: this.#frames > 0 ? this.#totalMs / this.#frames : 0,
        maxFrameMs: this.#maxMs,
        memoryBytes: engine.memoryBytes,
      },
    };
    this.#inputEnergy = this.#outputEnergy = this.#measured = 0;
    return readout;
  }

  /** The worklet scope has no finer clock than Date.now(); its whole milliseconds average out over the frames. */
  #runKernel(input: Float32Array): void {
    const begin = Date.now();
    try {
      this.#engine.process(this.#wet, input);
    } catch (cause) {
      this.#fail(`the kernel trapped: ${cause}`);
      return;
    }
    const spentMs = Date.now() - begin;
    this.#frames += 1;
    this.#totalMs += spentMs;
    if (spentMs > this.#maxMs) this.#maxMs = spentMs;
    if (!Number.isFinite(energy(this.#wet))) this.#fail("the kernel returned samples that are not finite numbers");
  }

  /** Write wet or dry, or fade linearly from one to the other over this hop: the two are time-aligned copies of one voice. */
  #mix(output: Float32Array, target: number): void {
    if (this.#dryShare === target) {
      output.set(target === 1 ? this.#dry : this.#wet);
      return;
    }
    const step = (target - this.#dryShare) / HOP;
    for (let i = 0; i < HOP; i++) {
      const share = this.#dryShare + step * (i + 1);
      output[i] = share * this.#dry[i]! + (1 - share) * this.#wet[i]!;
    }
    this.#dryShare = target;
  }

  #fail(message: string): void {
    this.#failed = true;
    this.#onFailure({ code: "runtime", message });
  }
}
