// Page thread: the one error type of the package. Its message says what was got and what was wanted.

/**
 * What went wrong:
 * - `unsupported`  the browser lacks AudioWorklet, WebAssembly or its SIMD
 * - `sample-rate`  the context runs at a rate outside 8000 to 192000 Hz, or at another rate than the track in a browser
 *                  that does not convert rates between the two
 * - `option`       an option has a value that makes no sense
 * - `fetch`        the wasm module, the weight file or the worklet script did not arrive
 * - `worklet`      the browser refused the worklet script or the processor
 * - `memory`       the browser gives no more wasm memory: too many contexts are in use
 * - `wasm`         the wasm module did not compile, or lacks an export
 * - `weights`      the weight file is not one that this kernel can use
 * - `timeout`      the worklet did not answer
 * - `aborted`      the signal given to create() fired, or the node was destroyed
 * - `runtime`      the kernel trapped or returned numbers that are not finite
 * - `overrun`      the kernel was too slow for too long
 * - `suspended`    the context stands still, so nothing that passes through it is heard
 * - `stalled`      the browser does not call the audio thread although the context is said to run
 * - `source`       the track that was to be cleaned has ended
 */
export type SordinoErrorCode =
  | "unsupported"
  | "sample-rate"
  | "option"
  | "fetch"
  | "worklet"
  | "memory"
  | "wasm"
  | "weights"
  | "timeout"
  | "aborted"
  | "runtime"
  | "overrun"
  | "suspended"
  | "stalled"
  | "source";

export class SordinoError extends Error {
  override readonly name = "SordinoError";
  readonly code: SordinoErrorCode;

  constructor(code: SordinoErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

const LONGEST_PART = 160;

/** Words, an address or another error for a message: what is too long is cut in the middle, an inlined file named as one. */
export function briefly(what: unknown): string {
  const text = String(what).replace(/data:([\w/+.-]*)[^,\s]*,[^\s'")]*/g, "data:$1,… (inlined)");
  if (text.length <= LONGEST_PART) return text;
  const half = LONGEST_PART / 2;
  return `${text.slice(0, half)}…${text.slice(1 - half)}`;
}

/** Whatever was thrown, as a SordinoError. */
export function asSordinoError(cause: unknown): SordinoError {
  return cause instanceof SordinoError ? cause : new SordinoError("worklet", String(cause), cause);
}
