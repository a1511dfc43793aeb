// Audio thread: types of the wasm exports (wasm/sordino.h), instantiation, and a memory allocator.

import type { EngineFiles, Failure } from "../protocol/messages.js";

const PAGE_BYTES = 65_536;
const ALIGNMENT = 16;

/** Pointers are byte offsets into the memory. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  readonly __heap_base: WebAssembly.Global;
  sordino_state_bytes(): number;
  sordino_init(state: number, weights: number, weightBytes: number): number;
  sordino_reset(state: number): void;
  sordino_process(state: number, output: number, input: number): void;
  sordino_begin(state: number, input: number): number;
  sordino_advance_together(states: number, count: number): number;
  sordino_finish(state: number, output: number): void;
  sordino_latency(state: number): number;
  sordino_set_look_ahead(state: number, frames: number): void;
  sordino_set_post_filter(state: number, passes: number): void;
  sordino_set_attenuation_limit(state: number, floorGain: number): void;
  sordino_channel_bytes(): number;
  sordino_join(channel: number, state: number): void;
  sordino_follow(channel: number, output: number, input: number, state: number): void;
  sordino_resampler_bytes(fromHz: number, toHz: number, channels: number, delay: number): number;
  sordino_resampler_init(resampler: number, fromHz: number, toHz: number, channels: number, delay: number): void;
  sordino_resampler_reset(resampler: number): void;
  sordino_resample(
    resampler: number,
    output: number,
    outputStride: number,
    input: number,
    inputStride: number,
    samples: number,
  ): number;
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
  "sordino_begin",
  "sordino_advance_together",
  "sordino_finish",
  "sordino_latency",
  "sordino_set_look_ahead",
  "sordino_set_post_filter",
  "sordino_set_attenuation_limit",
  "sordino_channel_bytes",
  "sordino_join",
  "sordino_follow",
  "sordino_resampler_bytes",
  "sordino_resampler_init",
  "sordino_resampler_reset",
  "sordino_resample",
  "sordino_voice",
  "sordino_gains",
  "sordino_strengths",
  "sordino_pitch_period",
  "sordino_pitch_correlation",
];

/** Creation of an engine failed. */
export class EngineError extends Error {
  readonly failure: Failure;

  constructor(code: Failure["code"], message: string) {
    super(message);
    this.failure = { code, message };
  }
}

/** rejects  EngineError "wasm" or "memory" */
export async function instantiate(files: EngineFiles): Promise<Kernel> {
  const { instance } = await WebAssembly.instantiate(files.wasm).catch((cause: unknown) => {
    throw refusal(files, cause);
  });
  return checked(instance.exports);
}

/** As instantiate(), at once. throws EngineError "wasm" or "memory" */
export function instantiateNow(files: EngineFiles): Kernel {
  let instance: WebAssembly.Instance;
  try {
    instance = new WebAssembly.Instance(new WebAssembly.Module(files.wasm));
  } catch (cause) {
    throw refusal(files, cause);
  }
  return checked(instance.exports);
}

/** Browsers give a RangeError where there is no room for a memory; some call it otherwise. */
function isOutOfMemory(cause: unknown): boolean {
  if (cause instanceof WebAssembly.CompileError) return false;
  return cause instanceof RangeError || /out of memory/i.test(String(cause));
}

/** Convert anything thrown while an engine was created. */
export function failureOf(cause: unknown, otherwise: string): EngineError {
  if (cause instanceof EngineError) return cause;
  if (isOutOfMemory(cause)) return new EngineError("memory", `the browser gives no more wasm memory: ${cause}`);
  return new EngineError("wasm", `${otherwise}: ${cause}`);
}

function refusal({ wasm, from }: EngineFiles, cause: unknown): EngineError {
  return failureOf(cause, `the wasm module ${from?.wasm ?? ""} (${wasm.byteLength} bytes) was refused`);
}

/** throws EngineError "wasm" */
function checked(exports: WebAssembly.Exports): Kernel {
  const missing = EXPORTS.filter((name) => !(name in exports));
  if (missing.length > 0) throw new EngineError("wasm", `the wasm module does not export ${missing.join(", ")}`);
  return exports as unknown as Kernel;
}

/** Hands out addresses above the module's own data; commit() grows the memory to what was handed out. */
export class Allocator {
  readonly #kernel: Kernel;
  readonly #grown: () => void;
  /** Addresses by the size of the block that was there. */
  readonly #free = new Map<number, number[]>();
  #top: number;

  /** grown: called whenever the memory has grown, which detaches all views of it */
  constructor(kernel: Kernel, grown: () => void) {
    this.#kernel = kernel;
    this.#grown = grown;
    this.#top = kernel.__heap_base.value as number;
  }

  /** An address; the bytes are there after commit(). */
  reserve(bytes: number): number {
    const freed = this.#free.get(bytes)?.pop();
    if (freed !== undefined) return freed;
    const at = Math.ceil(this.#top / ALIGNMENT) * ALIGNMENT;
    this.#top = at + bytes;
    return at;
  }

  /** Take a block back; the next one of its size gets its place. */
  free(at: number, bytes: number): void {
    const places = this.#free.get(bytes);
    if (places) places.push(at);
    else this.#free.set(bytes, [at]);
  }

  commit(): void {
    const missing = this.#top - this.#kernel.memory.buffer.byteLength;
    if (missing <= 0) return;
    this.#kernel.memory.grow(Math.ceil(missing / PAGE_BYTES));
    this.#grown();
  }
}

/** Views of [rows][samples] floats in the memory; they hold until it grows. */
export function views(kernel: Kernel, at: number, rows: number, samples: number): Float32Array[] {
  const rowBytes = samples * Float32Array.BYTES_PER_ELEMENT;
  return Array.from({ length: rows }, (_, row) => new Float32Array(kernel.memory.buffer, at + row * rowBytes, samples));
}
