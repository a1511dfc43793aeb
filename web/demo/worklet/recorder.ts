// Audio thread: collects its inputs, mono, sample by sample in step, and hands them over in blocks.

/** About a sixth of a second at 48 kHz. */
const BLOCK = 8192;

/** Input i becomes track i. Messages: an array with one Float32Array per input, all of one length. */
class RecorderProcessor extends AudioWorkletProcessor {
  readonly #tracks: Float32Array[];
  #filled = 0;

  constructor(options: { readonly numberOfInputs: number }) {
    super();
    this.#tracks = Array.from({ length: options.numberOfInputs }, () => new Float32Array(BLOCK));
  }

  process(inputs: Float32Array[][]): boolean {
    const quantum = inputs.find((input) => input.length > 0)?.[0]?.length ?? 0;
    if (quantum === 0) return true;
    if (this.#filled + quantum > BLOCK) this.#flush();
    for (const [i, track] of this.#tracks.entries()) {
      const samples = inputs[i]?.[0];
      if (samples) track.set(samples, this.#filled);
      else track.fill(0, this.#filled, this.#filled + quantum);
    }
    this.#filled += quantum;
    return true;
  }

  #flush(): void {
    this.port.postMessage(this.#tracks.map((track) => track.slice(0, this.#filled)));
    this.#filled = 0;
  }
}

registerProcessor("demo-recorder", RecorderProcessor as unknown as AudioWorkletProcessorConstructor);
