// Audio thread: one stream of the wasm kernel. Lays out the module's memory (weights, state, hops) and calls its exports.

import type { Failure, Settings } from "../messages.js";
import { BANDS, HOP } from "../params.js";

const PAGE_BYTES = 65_536;
const ALIGNMENT = 16;
const FLOAT_BYTES = 4;

/** What sordino_init answers, in words. */
const INIT_FAILURES: Readonly<Record<number, string>> = {
  [-1]: "it is not a Sordino weight file",
  [-2]: "its format version is not the one this kernel reads",
  [-3]: "its size is not the one its header states; it may be truncated",
  [-4]: "its checksum does not match; it is damaged",
  [-5]: "it holds a network that this kernel does not know",
};

/** The functions of wasm/sordino.h; pointers are byte offsets into the memory. */
interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly __heap_base: WebAssembly.Global;
  sordino_state_bytes(): number;
  sordino_init(state: number, weights: number, weightBytes: number): number;
  sordino_reset(state: number): void;
  sordino_process(state: number, output: number, input: number): void;
  sordino_latency(state: number): number;
  sordino_set_post_filter(state: number, on: number): void;
  sordino_set_attenuation_limit(state: number, floorGain: number): void;
  sordino_voice(state: number): number;
  sordino_gains(state: number): number;
  sordino_strengths(state: number): number;
  sordino_pitch_period(state: number): number;
  sordino_pitch_correlation(state: number): number;
}

const EXPORTS: readonly (keyof Kernel)[] = [
  "memory",
  "__heap_base",
  "sordino_state_bytes",
  "sordino_init",
  "sordino_reset",
  "sordino_process",
  "sordino_latency",
  "sordino_set_post_filter",
  "sordino_set_attenuation_limit",
  "sordino_voice",
  "sordino_gains",
  "sordino_strengths",
  "sordino_pitch_period",
  "sordino_pitch_correlation",
];

/** Why an engine could not be made. */
export class EngineError extends Error {
  readonly failure: Failure;

  constructor(code: Failure["code"], message: string) {
    super(message);
    this.failure = { code, message };
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

async function instantiate(wasm: ArrayBuffer): Promise<Kernel> {
  let exports: WebAssembly.Exports;
  try {
    exports = (await WebAssembly.instantiate(wasm)).instance.exports;
  } catch (cause) {
    throw new EngineError("wasm", `the wasm module (${wasm.byteLength} bytes) was refused: ${cause}`);
  }
  const missing = EXPORTS.filter((name) => !(name in exports));
  if (missing.length > 0) throw new EngineError("wasm", `the wasm module does not export ${missing.join(", ")}`);
  return exports as unknown as Kernel;
}

/** One stream. Everything but create() is fit for the audio thread: it allocates nothing; process() alone may trap. */
export class Engine {
  readonly stateBytes: number;
  readonly memoryBytes: number;
  /** Samples between the input and the output of process(). */
  readonly latency: number;
  readonly gains: Float32Array;
  readonly strengths: Float32Array;
  readonly #kernel: Kernel;
  readonly #state: number;
  readonly #inputAt: number;
  readonly #outputAt: number;
  readonly #input: Float32Array;
  readonly #output: Float32Array;

  private constructor(kernel: Kernel, weights: Uint8Array) {
    const hopBytes = HOP * FLOAT_BYTES;
    const weightsAt = align(kernel.__heap_base.value as number);
    this.#kernel = kernel;
    this.stateBytes = kernel.sordino_state_bytes();
    this.#state = align(weightsAt + weights.length);
    this.#inputAt = align(this.#state + this.stateBytes);
    this.#outputAt = this.#inputAt + hopBytes;

    const missing = this.#outputAt + hopBytes - kernel.memory.buffer.byteLength;
    if (missing > 0) kernel.memory.grow(Math.ceil(missing / PAGE_BYTES));
    const memory = kernel.memory.buffer;
    this.memoryBytes = memory.byteLength;
    new Uint8Array(memory, weightsAt, weights.length).set(weights);

    const answer = kernel.sordino_init(this.#state, weightsAt, weights.length);
    if (answer !== 0) {
      const reason = INIT_FAILURES[answer] ?? `sordino_init answered ${answer}`;
      throw new EngineError("weights", `the weight file (${weights.length} bytes) was refused: ${reason}`);
    }
    this.latency = kernel.sordino_latency(this.#state);
    this.gains = new Float32Array(memory, kernel.sordino_gains(this.#state), BANDS);
    this.strengths = new Float32Array(memory, kernel.sordino_strengths(this.#state), BANDS);
    this.#input = new Float32Array(memory, this.#inputAt, HOP);
    this.#output = new Float32Array(memory, this.#outputAt, HOP);
  }

  /**
   * Compile the module and load the weights.
   *
   * wasm     bytes of sordino.<engine>.wasm
   * weights  bytes of a weight file
   * rejects  EngineError, with the code the page will see
   */
  static async create(wasm: ArrayBuffer, weights: ArrayBuffer): Promise<Engine> {
    const kernel = await instantiate(wasm);
    try {
      return new Engine(kernel, new Uint8Array(weights));
    } catch (cause) {
      if (cause instanceof EngineError) throw cause;
      throw new EngineError("wasm", `the kernel failed while it started: ${cause}`);
    }
  }

  /** Work off one hop: output [HOP], input [HOP], full scale 1. A trap in the kernel comes out as an exception. */
  process(output: Float32Array, input: Float32Array): void {
    this.#input.set(input);
    this.#kernel.sordino_process(this.#state, this.#outputAt, this.#inputAt);
    output.set(this.#output);
  }

  reset(): void {
    this.#kernel.sordino_reset(this.#state);
  }

  apply(settings: Settings): void {
    this.#kernel.sordino_set_post_filter(this.#state, settings.postFilter ? 1 : 0);
    this.#kernel.sordino_set_attenuation_limit(this.#state, settings.floorGain);
  }

  get voice(): number {
    return this.#kernel.sordino_voice(this.#state);
  }

  get pitchPeriod(): number {
    return this.#kernel.sordino_pitch_period(this.#state);
  }

  get pitchCorrelation(): number {
    return this.#kernel.sordino_pitch_correlation(this.#state);
  }
}
