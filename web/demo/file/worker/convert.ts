// File worker: a part of a file in another rate or with other channels than its beginning becomes like that.

import type { Block } from "./sound.js";

export interface Shape {
  readonly sampleRate: number;
  readonly channels: number;
}

/** Zero crossings of the kernel on each side. */
const CROSSINGS = 32;

/** Band-limited interpolation with a Hann-windowed sinc, as long a sound out as in. */
export class Converter {
  readonly #to: Shape;
  readonly #fromRate: number;
  readonly #half: number;
  readonly #cutoff: number;
  #waiting: Float32Array[];
  /** Place of the first sample that waits, and of the next one to give, in samples of the source and of the result. */
  #first: number;
  #given = 0;
  #heard = 0;

  constructor(fromRate: number, to: Shape) {
    [this.#fromRate, this.#to] = [fromRate, to];
    this.#cutoff = Math.min(1, to.sampleRate / fromRate);
    this.#half = Math.ceil(CROSSINGS / this.#cutoff);
    this.#first = -this.#half;
    this.#waiting = Array.from({ length: to.channels }, () => new Float32Array(this.#half));
  }

  /** What is ready of the block and those before it. */
  take({ planes, frames }: Block): Block {
    this.#heard += frames;
    return this.#advance(mixed(planes, frames, this.#to.channels), Number.POSITIVE_INFINITY);
  }

  /** The rest. */
  finish(): Block {
    const silence = new Float32Array(this.#half + 1);
    const whole = Math.round((this.#heard * this.#to.sampleRate) / this.#fromRate);
    return this.#advance(Array(this.#to.channels).fill(silence), whole - this.#given);
  }

  #advance(planes: readonly Float32Array[], most: number): Block {
    const step = this.#fromRate / this.#to.sampleRate;
    const joined = this.#waiting.map((old, c) => concatenated(old, planes[c]!));
    const end = this.#first + joined[0]!.length;
    const ready = Math.floor((end - 1 - this.#half) / step) + 1 - this.#given;
    const frames = Math.max(0, Math.min(ready, most));
    const made = joined.map((source) => this.#interpolate(source, step, frames));
    this.#given += frames;
    const keep = Math.max(0, Math.floor(this.#given * step) - this.#half - this.#first);
    this.#waiting = joined.map((source) => source.slice(keep));
    this.#first += keep;
    return { planes: made, frames, sampleRate: this.#to.sampleRate };
  }

  #interpolate(source: Float32Array, step: number, frames: number): Float32Array {
    const made = new Float32Array(frames);
    for (let n = 0; n < frames; n++) {
      const place = (this.#given + n) * step;
      const from = Math.ceil(place - this.#half);
      let sum = 0;
      for (let i = from; i <= place + this.#half; i++) {
        sum += (source[i - this.#first] ?? 0) * this.#kernel(i - place);
      }
      made[n] = sum;
    }
    return made;
  }

  #kernel(distance: number): number {
    const x = Math.PI * distance * this.#cutoff;
    const sinc = x === 0 ? 1 : Math.sin(x) / x;
    return this.#cutoff * sinc * (0.5 + 0.5 * Math.cos((Math.PI * distance) / (this.#half + 1)));
  }
}

function concatenated(a: Float32Array, b: Float32Array): Float32Array {
  const all = new Float32Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** To one channel their mean, to several from one its copies, else the first ones and silence. */
function mixed(planes: readonly Float32Array[], frames: number, channels: number): Float32Array[] {
  if (planes.length === channels) return planes.map((plane) => plane.slice(0, frames));
  if (planes.length === 1) return Array.from({ length: channels }, () => planes[0]!.slice(0, frames));
  if (channels === 1) {
    const mean = new Float32Array(frames);
    for (const plane of planes) for (let i = 0; i < frames; i++) mean[i]! += plane[i]! / planes.length;
    return [mean];
  }
  return Array.from({ length: channels }, (_, c) => planes[c]?.slice(0, frames) ?? new Float32Array(frames));
}
