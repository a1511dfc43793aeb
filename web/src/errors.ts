// Page thread: the one error type of the package. Its message says what was got and what was wanted.

/**
 * What went wrong:
 * - `unsupported`  the browser lacks AudioWorklet, WebAssembly or its SIMD
 * - `sample-rate`  the context runs at a rate outside 8000 to 192000 Hz, or at another rate than the track in a browser
 *                  that does not convert rates between the two
 * - `option`       an option has a value that makes no sense
 * - `fetch`        the wasm module, the weight file or the worklet script did not arrive
 * - `worklet`      the browser refused the worklet script or the processor
 * - `wasm`         the wasm module did not compile, or lacks an export
 * - `weights`      the weight file is not one that this kernel can use
 * - `timeout`      the worklet did not answer
 * - `aborted`      the signal given to create() fired, or the node was destroyed
 * - `runtime`      the kernel trapped or returned numbers that are not finite
 * - `overrun`      the kernel was too slow for too long
 * - `suspended`    the context stands still, so nothing that passes through it is heard
 * - `source`       the track that was to be cleaned has ended
 */
export type SordinoErrorCode =
  | "unsupported"
  | "sample-rate"
  | "option"
  | "fetch"
  | "worklet"
  | "wasm"
  | "weights"
  | "timeout"
  | "aborted"
  | "runtime"
  | "overrun"
  | "suspended"
  | "source";

export class SordinoError extends Error {
  override readonly name = "SordinoError";
  readonly code: SordinoErrorCode;

  constructor(code: SordinoErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Whatever was thrown, as a SordinoError. */
export function asSordinoError(cause: unknown): SordinoError {
  return cause instanceof SordinoError ? cause : new SordinoError("worklet", String(cause), cause);
}
