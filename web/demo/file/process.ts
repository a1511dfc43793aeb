// Page thread: clean a file, faster than real time, in a worker. Nothing is uploaded; the result lies on this device.

import { type Preset, supportedEngines } from "sordino";
import { initialSettings } from "../../src/contract/options.js";
import { PageDecoder } from "./decode.js";
import { FileError } from "./errors.js";
import type { Job, Reply, Request } from "./messages.js";
import { claimEntry } from "./storage.js";

export { FileError, type FileErrorCode } from "./errors.js";

export interface FileOptions {
  /** Name of a model of the package; default "standard". */
  readonly model?: string;
  /** Default "balanced". */
  readonly preset?: Preset;
  /** Remove at most this many decibels; replaces what the preset says. */
  readonly attenuationLimitDb?: number;
  /** The same gains on all channels; default false: each channel on its own, as `sordino denoise` does. */
  readonly linked?: boolean;
  /** Gives up when it fires; everything that was written is deleted before the promise rejects. */
  readonly signal?: AbortSignal;
  /** fraction: 0 to 1 of the file; seconds: of sound that are done. A few times per second. */
  readonly onProgress?: (fraction: number, seconds: number) => void;
}

export interface CleanedFile {
  /** A WAV file, aligned with the source and as long. It is read from the disk where the browser has one for pages. */
  readonly clean: File;
  readonly seconds: number;
  readonly channels: number;
  readonly sampleRate: number;
  /** What is missing or damaged in the source, where anything is; the rest of it has been cleaned. */
  readonly fault: string | undefined;
  /** Delete it. Otherwise it stays as long as the page, and goes when a later page cleans a file. */
  release(): Promise<void>;
}

/** throws FileError "engine", SordinoError "option" */
function plan(file: File, options: FileOptions, entry: string | undefined): Job {
  const { preset, attenuationLimitDb, model = "standard", linked = false } = options;
  const engine = supportedEngines()[0];
  if (!engine) throw new FileError("engine", "this browser has no WebAssembly SIMD");
  const asset = (path: string) => new URL(`sordino/${path}`, document.baseURI).href;
  const settings = initialSettings({
    ...(preset !== undefined && { preset }),
    ...(attenuationLimitDb !== undefined && { attenuationLimitDb }),
  });
  return {
    file,
    wasm: asset(`sordino.${engine}.wasm`),
    weights: asset(`models/${model}.sordino`),
    settings,
    linked,
    entry,
  };
}

/**
 * Clean any audio or video file that the browser can decode.
 *
 * rejects  FileError, SordinoError "option" for an option that makes no sense, or the signal's reason
 */
export async function processFile(file: File, options: FileOptions = {}): Promise<CleanedFile> {
  options.signal?.throwIfAborted();
  const entry = await claimEntry();
  const release = async () => entry?.release();
  try {
    const { clean, fault, seconds, channels, sampleRate } = await work(plan(file, options, entry?.name), options);
    const named = new File([clean], `${file.name.replace(/\.[^.]*$/, "")}-clean.wav`, { type: "audio/wav" });
    return { clean: named, fault, seconds, channels, sampleRate, release };
  } catch (cause) {
    await release();
    throw cause;
  }
}

type Done = Extract<Reply, { readonly type: "done" }>;

/** One worker for one file. */
function work(job: Job, { signal, onProgress }: FileOptions): Promise<Done> {
  const worker = new Worker(new URL("file.worker.js", document.baseURI));
  const post = (request: Request, transfer: Transferable[] = []) => worker.postMessage(request, transfer);
  const cancel = () => post({ type: "cancel" });
  const decoder = new PageDecoder(job.file, post);
  return new Promise<Done>((resolve, reject) => {
    worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
      if (reply.type === "progress") onProgress?.(reply.fraction, reply.seconds);
      else if (reply.type === "decode") void decoder.decode(reply.known);
      else if (reply.type === "more") decoder.sendNext();
      else if (reply.type === "done") resolve(reply);
      else if (reply.type === "cancelled") reject(signal?.reason);
      else reject(new FileError(reply.code, reply.message));
    };
    worker.onerror = (event) => reject(new FileError("engine", `the worker failed: ${event.message ?? "no script"}`));
    signal?.addEventListener("abort", cancel);
    post({ type: "start", job });
    if (signal?.aborted) cancel();
  }).finally(() => {
    signal?.removeEventListener("abort", cancel);
    worker.terminate();
  });
}
