// What the page and the measuring worker say to each other: types only.

export interface KernelFiles {
  /** Addresses of the wasm module and the weight file. */
  readonly wasm: string;
  readonly weights: string;
  /** Noisy speech at 48 kHz, mono, played to the kernel again and again. */
  readonly samples: Float32Array<ArrayBuffer>;
}

export type MeterRequest =
  | { readonly type: "start"; readonly files: KernelFiles }
  /** Time frames at the pace of live audio and tell each batch, or stop. */
  | { readonly type: "live"; readonly on: boolean }
  /** Time frames back to back, then at the pace of live audio. */
  | { readonly type: "benchmark"; readonly backToBackS: number; readonly pacedS: number };

export interface Benchmark {
  /** Medians, microseconds per frame. */
  readonly backToBackUs: number;
  readonly pacedUs: number;
  readonly worstUs: number;
  readonly frames: number;
  /** Frames that were timed together because of the clock's tick. */
  readonly batch: number;
  readonly tickMs: number;
  readonly memoryBytes: number;
}

export type MeterAnswer =
  | { readonly type: "ready"; readonly batch: number; readonly memoryBytes: number }
  | { readonly type: "batch"; readonly frameUs: number }
  | { readonly type: "benchmark"; readonly benchmark: Benchmark }
  | { readonly type: "failed"; readonly message: string };
