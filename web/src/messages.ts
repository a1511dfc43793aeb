// What the page thread and the audio thread say to each other: types only, so neither side carries the other's code.

/** The two builds of the kernel that the package ships. */
export type EngineName = "relaxed" | "simd128";

/** Parts of a failure that can cross a message port. */
export interface Failure {
  readonly code: "wasm" | "weights" | "runtime";
  readonly message: string;
}

/** Settings that may change while the node runs. */
export interface Settings {
  readonly bypass: boolean;
  readonly postFilter: boolean;
  /** Smallest gain the kernel may apply, 0 (no limit) to 1 (nothing is removed). */
  readonly floorGain: number;
}

/** Handed to the processor's constructor. The bytes are copied by the browser. */
export interface Startup {
  readonly wasm: ArrayBuffer;
  readonly weights: ArrayBuffer;
  readonly settings: Settings;
}

/** Page thread to audio thread. */
export type Request =
  | { readonly type: "settings"; readonly settings: Settings }
  | { readonly type: "reset" }
  | { readonly type: "read" }
  | { readonly type: "destroy" };

/** What the node costs, counted since it was created or reset. */
export interface Stats {
  /** Frames (hops of 10 ms) that the kernel has worked off. */
  readonly frames: number;
  /** Mean time per frame. Exact over many frames although the worklet's only clock ticks in whole milliseconds. */
  readonly meanFrameMs: number;
  /** Longest frame, in whole milliseconds, because the clock is that coarse. */
  readonly maxFrameMs: number;
  /** Bytes of the wasm memory: code's data, weights and state. */
  readonly memoryBytes: number;
}

/** A look at one moment of the running stream. */
export interface Readout {
  /** Level (RMS) since the last read-out of what came in and what went out, dB full scale; -Infinity for silence. */
  readonly inputDb: number;
  readonly outputDb: number;
  /** Probability, 0 to 1, that the hop just played contains a voice. */
  readonly voice: number;
  /** Pitch period in samples and how periodic the frame is, 0 to 1. */
  readonly pitchPeriod: number;
  readonly pitchCorrelation: number;
  /** One number in 0..1 per band: how much passes, and the share of the comb filter. */
  readonly gains: Float32Array;
  readonly strengths: Float32Array;
  readonly stats: Stats;
}

/** Audio thread to page thread. */
export type Reply =
  | {
      readonly type: "ready";
      /** Samples between input and output, everything counted. */
      readonly latencySamples: number;
      readonly stateBytes: number;
    }
  | { readonly type: "latency"; readonly latencySamples: number }
  | { readonly type: "readout"; readonly readout: Readout }
  | { readonly type: "failure"; readonly failure: Failure };
