// Page thread and file worker: why a file could not be cleaned.

/**
 * What went wrong:
 * - `not-audio`       the browser knows no such kind of file
 * - `no-audio-track`  a video without sound
 * - `undecodable`     the browser has no decoder for the sound in it
 * - `damaged`         the file ends too early or holds what no decoder takes
 * - `unsupported`     more than eight channels, or a sample rate outside 1000 to 768000 Hz
 * - `too-long`        the result is beyond the 4 GB of a WAV file, or the browser would have to hold all of it in memory
 * - `disk-full`       the browser gives this site no more space
 * - `engine`          the wasm module or the weights did not arrive, or the worker failed
 */
export type FileErrorCode =
  | "not-audio"
  | "no-audio-track"
  | "undecodable"
  | "damaged"
  | "unsupported"
  | "too-long"
  | "disk-full"
  | "engine";

export class FileError extends Error {
  override readonly name = "FileError";
  readonly code: FileErrorCode;

  constructor(code: FileErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Whatever was thrown, as a FileError; `code` is for what has none. */
export function asFileError(cause: unknown, code: FileErrorCode): FileError {
  if (cause instanceof FileError) return cause;
  return new FileError(code, cause instanceof Error ? cause.message : String(cause), cause);
}
