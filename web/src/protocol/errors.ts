// SordinoError and its codes. A message names what was expected and what was received.

/**
 * What went wrong:
 * - `unsupported`  the browser lacks AudioWorklet, WebAssembly or its SIMD
 * - `sample-rate`  the context runs at a rate outside 8000 to 192000 Hz, or at another rate than the track in a browser
 *                  that does not convert rates between the two
 * - `option`       an option has a value that makes no sense
 * - `fetch`        the wasm module or the weight file did not arrive, or a page of text came in its place
 * - `worklet`      the browser refused the worklet script, the processor or the script of the frame path's Worker
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

const LONGEST_PART = 120;
const LONGEST_MESSAGE = 300;

/** Shorten text, a URL or an error for a message: cut out the middle, replace data: URLs by their type. */
export function briefly(what: unknown, longest: number = LONGEST_PART): string {
  const text = String(what).replace(/data:([\w/+.-]*)[^,\s]*,[^\s'")]*/g, "data:$1,… (inlined)");
  if (text.length <= longest) return text;
  const half = Math.floor(longest / 2);
  return `${text.slice(0, half)}…${text.slice(1 - half)}`;
}

export class SordinoError extends Error {
  override readonly name = "SordinoError";
  readonly code: SordinoErrorCode;

  constructor(code: SordinoErrorCode, message: string, cause?: unknown) {
    super(briefly(message, LONGEST_MESSAGE), cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Whatever was thrown, as a SordinoError. */
export function asSordinoError(cause: unknown): SordinoError {
  return cause instanceof SordinoError ? cause : new SordinoError("worklet", String(cause), cause);
}

/** The error for an aborted signal. */
export function aborted(signal: AbortSignal): SordinoError {
  return new SordinoError("aborted", "creation was given up because the signal fired", signal.reason);
}
