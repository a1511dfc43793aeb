// What the page thread and the file worker say to each other, and where both find the results.

import type { Settings } from "../../src/protocol/messages.js";
import type { FileErrorCode } from "./errors.js";

/** Folder of the origin private file system that holds the results. */
export const FOLDER = "sordino-files";

/** One file to clean. */
export interface Job {
  readonly file: File;
  /** Addresses of the kernel and the weights. */
  readonly wasm: string;
  readonly weights: string;
  readonly settings: Settings;
  readonly linked: boolean;
  /** Name of the result in FOLDER; undefined: the result goes into memory. */
  readonly entry: string | undefined;
}

/** What a source of sound is, as far as it is known before it is decoded. */
export interface SoundFormat {
  readonly sampleRate: number;
  readonly channels: number;
  readonly seconds: number;
}

export type Request =
  | { readonly type: "start"; readonly job: Job }
  | { readonly type: "cancel" }
  /** The page has decoded the file itself. */
  | { readonly type: "decoded"; readonly format: SoundFormat }
  | { readonly type: "refused"; readonly code: FileErrorCode; readonly message: string }
  /** The next piece of it, one array per channel; undefined: that was all. */
  | { readonly type: "block"; readonly planes: Float32Array[] | undefined };

export type Reply =
  | { readonly type: "progress"; readonly fraction: number; readonly seconds: number }
  /** There is no decoder in the worker: the page is to decode the file, and to send one piece for each "more". */
  | { readonly type: "decode"; readonly known: SoundFormat | undefined }
  | { readonly type: "more" }
  /** fault: what is missing or damaged in the source; the rest of it is in the result. */
  | ({ readonly type: "done"; readonly clean: Blob; readonly fault: string | undefined } & SoundFormat)
  | { readonly type: "cancelled" }
  | { readonly type: "failed"; readonly code: FileErrorCode; readonly message: string };
