// Messages between the page thread, the audio thread and the Worker. Types only: no code is shared through this file.

import type { SordinoErrorCode } from "./errors.js";

/** The two builds of the kernel that the package ships. */
export type EngineName = "relaxed" | "simd128";

/** Parts of a failure that can cross a message port. */
export interface Failure {
  readonly code: Extract<SordinoErrorCode, "memory" | "wasm" | "weights" | "runtime" | "overrun">;
  readonly message: string;
}

/** Settings that may change while the node runs. */
export interface Settings {
  readonly bypass: boolean;
  /** How often the post-filter sharpens the gains, 0 to 2. */
  readonly postFilterPasses: number;
  /** Smallest gain the kernel may apply, 0 (no limit) to 1 (nothing is removed). */
  readonly floorGain: number;
}

/** The two files that make an engine. */
export interface EngineFiles {
  readonly wasm: ArrayBuffer;
  readonly weights: ArrayBuffer;
  /** Where they came from, for messages. */
  readonly from?: { readonly wasm: string; readonly weights: string };
}

/** What stays the same as long as a stream lives. */
export interface StreamShape {
  /** Most channels, 1 to 8. */
  readonly channels: number;
  /** One decision for all channels, or each channel on its own. */
  readonly linked: boolean;
  /** Time counts: overruns are watched. False in offline contexts. */
  readonly realTime: boolean;
  /** Nothing is heard until the context renders: no wasm memory is held before. Default false. */
  readonly offline?: boolean;
  /** The network of a hop is computed over the quanta that follow it. Default false. */
  readonly spread?: boolean;
  /** Frames heard before a frame is decided on, at most the model's own, which is the default. */
  readonly lookAhead?: number;
}

/** Handed to the processor's constructor. The bytes are copied by the browser. */
export interface Startup extends EngineFiles, StreamShape {
  readonly settings: Settings;
}

/** Page thread to audio thread. */
export type Request =
  | { readonly type: "settings"; readonly settings: Settings }
  | { readonly type: "reset" }
  | { readonly type: "read" }
  /** Say the speech probability of every hop, or no longer. */
  | { readonly type: "voice"; readonly on: boolean }
  /** Make a new engine, warm it up beside the old one and fade over to it; `id` comes back in "ready" or "failure". */
  | ({ readonly type: "engine"; readonly id: number } & EngineFiles)
  /** An offline context has rendered: give the memory back. The last read-out can still be asked for. */
  | { readonly type: "finish" }
  | { readonly type: "destroy" };

/** What the stream costs, counted since it was created or reset. */
export interface Counters {
  /** Frames (hops of 10 ms) that the kernel has worked off. */
  readonly frames: number;
  /** Mean time per frame. Exact over many frames although the worklet's only clock ticks in whole milliseconds. */
  readonly meanFrameMs: number;
  /** Longest frame, in whole milliseconds, because the clock is that coarse. */
  readonly maxFrameMs: number;
  /** Frames that took longer than they last. */
  readonly overruns: number;
  /** Bytes of the wasm memory: code's data, weights and the states of all streams of the context that share it. */
  readonly memoryBytes: number;
}

/** A look at one moment of the running stream. */
export interface Readout {
  /** Level (RMS) since the last read-out of what came in and what went out, dB full scale; -Infinity for silence. */
  readonly inputDb: number;
  readonly outputDb: number;
  /** Probability, 0 to 1, that the hop just played contains a voice. */
  readonly voice: number;
  /** Pitch period in samples at 48 kHz and how periodic the frame is, 0 to 1. */
  readonly pitchPeriod: number;
  readonly pitchCorrelation: number;
  /** One number in 0..1 per band: how much passes, and the share of the comb filter. */
  readonly gains: Float32Array;
  readonly strengths: Float32Array;
  readonly stats: Counters;
}

/** What became of the sound of the last 200 ms. */
export interface Heartbeat {
  /** Something came in at all; digital silence counts. */
  readonly arrived: boolean;
  /** It was digital silence. */
  readonly silent: boolean;
  /** What came out was given out by the kernel. */
  readonly cleaned: boolean;
}

/** Audio thread to page thread. */
export type Reply =
  | ({ readonly type: "heartbeat" } & Heartbeat)
  | {
      /** An engine is heard: the first (id 0, also when its latency has changed) or one that was sent later. */
      readonly type: "ready";
      readonly id: number;
      /** Samples between input and output at the context's rate, everything counted. */
      readonly latencySamples: number;
      readonly stateBytes: number;
    }
  | { readonly type: "readout"; readonly readout: Readout }
  | { readonly type: "voice"; readonly probability: number }
  | {
      readonly type: "overrun";
      readonly overruns: number;
      /** The kernel was stopped, the unchanged voice plays. */
      readonly stopped: boolean;
    }
  /** id: the engine that was not made, or undefined when the one that runs has failed. */
  | { readonly type: "failure"; readonly id: number | undefined; readonly failure: Failure };

/** The frame path's Worker to the page thread. */
export type FrameReply =
  | Reply
  /** The script runs. */
  | { readonly type: "loaded" }
  /** Sample rate of the frames that come from now on, Hz. */
  | { readonly type: "rate"; readonly rate: number }
  /** Until the next "ready" frames pass as they are, without delay. */
  | { readonly type: "direct" };

/** What the frame path's Worker is handed for every engine. */
export type FrameStartup = Startup;

/** Page thread to the frame path's Worker. The streams carry AudioData. */
export type FrameRequest =
  | Exclude<Request, { readonly type: "engine" }>
  | { readonly type: "source"; readonly readable: ReadableStream; readonly writable: WritableStream | undefined }
  /** Begin, begin again after a failure, or with another model; `id` comes back in "ready" or "failure". */
  | { readonly type: "start"; readonly startup: FrameStartup; readonly id: number };
