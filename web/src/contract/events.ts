// Page thread: types of the events of nodes and tracks, and functions that dispatch and forward them.

import type { SordinoError } from "../protocol/errors.js";
import type { Counters, EngineName, Readout } from "../protocol/messages.js";
import type { StateChange } from "./states.js";

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
  /** The model that goes on: after "step-down" the lighter one. */
  readonly model: string;
}

/** What a node costs and what runs in it. */
export interface Stats extends Counters {
  readonly engine: EngineName;
  readonly model: string;
}

/** Events of tracks and of the frame path. */
export interface TrackEventMap {
  /** Suppression runs: after the start, and again after every fallback. */
  readonly ready: Event;
  /** Something failed; `error` is a SordinoError. */
  readonly error: ErrorEvent;
  /** The unchanged voice plays now. */
  readonly fallback: CustomEvent<Fallback>;
  readonly overrun: CustomEvent<Overrun>;
  /** The state has become another one. */
  readonly state: CustomEvent<StateChange>;
  /** Once per hop of 10 ms, while somebody listens. */
  readonly voice: CustomEvent<Voice>;
  /** Of tracks: `enabled` of the cleaned track has changed, by its own setter or by the source's. */
  readonly mutechange: Event;
}

export interface SordinoEventMap extends TrackEventMap {
  /** While startReadout() is on. */
  readonly readout: CustomEvent<Readout>;
}

export type Options = boolean | AddEventListenerOptions | undefined;
type Listener = EventListenerOrEventListenerObject | null;

/** Counts listeners of "voice", so that its messages are sent only while there are any. */
export class VoiceListeners {
  /** Listener -> whether it wants to hear the event only once. */
  readonly #all = new Map<unknown, boolean>();
  readonly #changed: (any: boolean) => void;

  /** changed: called when the first listener comes and when the last one has gone */
  constructor(changed: (any: boolean) => void) {
    this.#changed = changed;
  }

  get any(): boolean {
    return this.#all.size > 0;
  }

  /** Call with the arguments of addEventListener(); remove() with those of removeEventListener(). */
  add(type: string, listener: unknown, options: Options): void {
    if (type !== "voice" || listener === null) return;
    const { once = false, signal = undefined } = typeof options === "object" ? options : {};
    if (signal?.aborted) return;
    signal?.addEventListener("abort", () => this.remove(type, listener));
    const first = !this.any;
    this.#all.set(listener, once);
    if (first) this.#changed(true);
  }

  remove(type: string, listener: unknown): void {
    if (type === "voice" && this.#all.delete(listener) && !this.any) this.#changed(false);
  }

  dispatch(target: EventTarget, probability: number): void {
    dispatchDetail<Voice>(target, "voice", { probability });
    for (const [listener, once] of this.#all) if (once) this.remove("voice", listener);
  }
}

/** An EventTarget with the events of tracks. */
export abstract class TrackTarget extends EventTarget {
  protected readonly voiceListeners = new VoiceListeners((any) => this.tellVoice(any));

  override addEventListener<K extends keyof TrackEventMap>(
    type: K,
    listener: (event: TrackEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: Listener, options?: Options): void {
    super.addEventListener(type, listener, options);
    this.voiceListeners.add(type, listener, options);
  }

  override removeEventListener<K extends keyof TrackEventMap>(
    type: K,
    listener: (event: TrackEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(type: string, listener: Listener, options?: Options): void {
    super.removeEventListener(type, listener, options);
    this.voiceListeners.remove(type, listener);
  }

  /** Start or stop sending "voice". */
  protected abstract tellVoice(wanted: boolean): void;

  protected dispatchVoice(probability: number): void {
    this.voiceListeners.dispatch(this, probability);
  }
}

/** Dispatch "error" and "fallback". */
export function dispatchFallback(target: EventTarget, fallback: Fallback): void {
  const { cause: error } = fallback;
  target.dispatchEvent(new ErrorEvent("error", { error, message: error.message }));
  dispatchDetail(target, "fallback", fallback);
}

const PASSED_ON = ["ready", "error", "fallback", "overrun"];

/** Forward the events of a node or the frame path, except "voice", to another target until the signal fires. */
export function forwardEvents(from: EventTarget, to: EventTarget, signal: AbortSignal): void {
  for (const type of PASSED_ON) from.addEventListener(type, (event) => to.dispatchEvent(copyOf(event)), { signal });
}

/** The same event for another target. */
function copyOf(event: Event): Event {
  const Kind = event.constructor as new (type: string, init: EventInit) => Event;
  return new Kind(event.type, event);
}

export function dispatchDetail<T>(target: EventTarget, type: string, detail: T): void {
  target.dispatchEvent(new CustomEvent<T>(type, { detail }));
}
