// Worker: converts the sample rate of a source that changes it on the way. Windowed sinc, no added delay.

/** Zero crossings of the sinc on each side, at the lower of both rates. */
const CROSSINGS = 16;

/** Converts one stretch of sound; before and after it stands what it begins and ends with. */
export class Converter {
  readonly from: number;
  readonly to: number;
  readonly #scale: number;
  readonly #half: number;
  #buffers: Float32Array[] = [];
  /** Where the next sample is read, in samples of the buffers. */
  #at: number;

  constructor(from: number, to: number) {
    this.from = from;
    this.to = to;
    this.#scale = Math.min(1, to / from);
    this.#half = Math.ceil(CROSSINGS / this.#scale);
    this.#at = this.#half;
  }

  /** [channels][samples] in; out as many as are certain by then. A channel that comes or goes is the first one. */
  push(inputs: readonly Float32Array[]): Float32Array[] {
    if (this.#buffers.length === 0) this.#buffers = inputs.map((input) => new Float32Array(this.#half).fill(input[0]!));
    const channels = Math.max(1, inputs.length);
    this.#buffers = Array.from({ length: channels }, (_, c) =>
      joined(this.#buffers[c] ?? this.#buffers[0]!, inputs[c]!),
    );
    return this.#convert();
  }

  /** The stretch has ended: what is still to come out. */
  flush(): Float32Array[] {
    if (this.#buffers.length === 0) return [];
    return this.push(this.#buffers.map((buffer) => new Float32Array(this.#half).fill(buffer.at(-1)!)));
  }

  #convert(): Float32Array[] {
    const step = this.from / this.to;
    const last = this.#buffers[0]!.length - this.#half;
    const count = Math.max(0, Math.ceil((last - this.#at) / step - 1e-9));
    const outputs = this.#buffers.map(() => new Float32Array(count));
    for (let i = 0; i < count; i++) this.#interpolate(outputs, i, this.#at + i * step);
    this.#at += count * step;
    const done = Math.floor(this.#at) - this.#half;
    this.#buffers = this.#buffers.map((buffer) => buffer.slice(done));
    this.#at -= done;
    return outputs;
  }

  #interpolate(outputs: readonly Float32Array[], index: number, at: number): void {
    const whole = Math.floor(at);
    for (let k = whole - this.#half + 1; k <= whole + this.#half; k++) {
      const weight = this.#scale * kernel((at - k) * this.#scale);
      for (const [c, output] of outputs.entries()) output[index]! += weight * (this.#buffers[c]![k] ?? 0);
    }
  }
}

/** A sinc under a Hann window of CROSSINGS on each side. */
function kernel(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= CROSSINGS) return 0;
  return (Math.sin(Math.PI * x) / (Math.PI * x)) * (0.5 + 0.5 * Math.cos((Math.PI * x) / CROSSINGS));
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
