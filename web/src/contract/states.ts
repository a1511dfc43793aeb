// Page thread: types of a stream's state and of its changes.

/**
 * What a stream does now:
 * - `starting`     the kernel is not ready yet; the unchanged voice passes
 * - `suppressing`  what came out within the last second was processed by the kernel
 * - `bypass`       the page has chosen the unchanged voice
 * - `fallback`     something has failed, as "fallback" says; the unchanged voice passes
 * - `no-input`     nothing arrives: no source is connected, or it gives no sound
 * - `muted`        the platform has muted the source (tracks only)
 * - `silent`       digital silence arrives for seconds: a muted or dead source
 * - `suspended`    the context stands still: nothing is heard
 * - `stalled`      the browser does not call the audio thread, or the Worker does not answer: nothing is heard
 * - `ended`        stopped, destroyed, or its context is closed
 */
export type StreamState =
  | "starting"
  | "suppressing"
  | "bypass"
  | "fallback"
  | "no-input"
  | "muted"
  | "silent"
  | "suspended"
  | "stalled"
  | "ended";

export interface StateChange {
  readonly state: StreamState;
  readonly before: StreamState;
}
