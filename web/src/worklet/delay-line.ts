// Audio thread: delay line of the dry path, which aligns it with the wet path.

/** Longest delay in seconds: the longest quantum and the deepest look-ahead stay below it. */
const LONGEST_S = 0.5;

/** Delays up to eight channels; what is not finite comes out as 0. Allocates when constructed and for huge quanta. */
export class DelayLine {
  #delay = 0;
  #write = 0;
  #rings: Float32Array[];

  constructor(channels: number, rate: number) {
    this.#rings = Array.from({ length: channels }, () => new Float32Array(Math.ceil(rate * LONGEST_S)));
  }

  get delay(): number {
    return this.#delay;
  }

  /** Change the delay, in samples; what was heard is kept where it still fits. */
  configure(delay: number, quantum: number): void {
    const length = delay + quantum;
    if (length > this.#rings[0]!.length) {
      this.#rings = this.#rings.map(() => new Float32Array(length));
      this.#write = 0;
    }
    this.#delay = delay;
  }

  clear(): void {
    for (const ring of this.#rings) ring.fill(0);
  }

  /** outputs [all channels][quantum] become what inputs were. A missing channel is the first one; none is silence. */
  process(outputs: readonly Float32Array[], inputs: readonly Float32Array[], channels: number, quantum: number): void {
    const length = this.#rings[0]!.length;
    for (let c = 0; c < this.#rings.length; c++) {
      const ring = this.#rings[c]!;
      const input = inputs[c < channels ? c : 0] ?? inputs[0];
      const output = outputs[c]!;
      let write = this.#write;
      for (let i = 0; i < quantum; i++) {
        const x = input === undefined ? 0 : input[i]!;
        ring[write] = Number.isFinite(x) ? x : 0;
        write = write + 1 === length ? 0 : write + 1;
      }
      let read = (this.#write + length - this.#delay) % length;
      for (let i = 0; i < quantum; i++) {
        output[i] = ring[read]!;
        read = read + 1 === length ? 0 : read + 1;
      }
    }
    this.#write = (this.#write + quantum) % length;
  }
}
