// Page thread: the events of nodes and tracks.

import { asSordinoError, type SordinoError } from "./errors.js";
import type { Counters, EngineName, Readout } from "./messages.js";

/** Why the unchanged voice plays, and what happens next. */
export interface Fallback {
  readonly cause: SordinoError;
  /** Milliseconds until the next attempt to suppress again; undefined when none is planned. */
  readonly retryInMs: number | undefined;
  /** Try again now. */
  readonly retry: () => void;
}

export interface Voice {
  /** 0 to 1, of the 10 ms that are being played. */
  readonly probability: number;
}

export interface Overrun {
  /** Frames that took longer than they last, since the start or the last reset. */
  readonly overruns: number;
  /** What was done: nothing yet, the unchanged voice, or a lighter model. */
  readonly action: "none" | "bypass" | "step-down";
}

/** What a node costs and what runs in it. */
export interface Stats extends Counters {
  readonly engine: EngineName;
  readonly model: string;
}

export interface SordinoEventMap {
  /** Suppression runs: after the start, and again after every fallback. */
  readonly ready: Event;
  /** Something failed; `error` is a SordinoError. */
  readonly error: ErrorEvent;
  /** The unchanged voice plays now. */
  readonly fallback: CustomEvent<Fallback>;
  readonly overrun: CustomEvent<Overrun>;
  /** Once per hop of 10 ms, while somebody listens. */
  readonly voice: CustomEvent<Voice>;
  /** While startReadout() is on. */
  readonly readout: CustomEvent<Readout>;
}

export function dispatchError(target: EventTarget, cause: unknown): void {
  const error = asSordinoError(cause);
  target.dispatchEvent(new ErrorEvent("error", { error, message: error.message }));
}

export function dispatchDetail<T>(target: EventTarget, type: string, detail: T): void {
  target.dispatchEvent(new CustomEvent<T>(type, { detail }));
}
