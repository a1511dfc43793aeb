// Page thread: derives a stream's state from heartbeats of the audio thread or the Worker; dispatches `state`.

import { dispatchDetail } from "../contract/events.js";
import type { StateChange, StreamState } from "../contract/states.js";
import type { Heartbeat } from "../protocol/messages.js";

/** What the page thread knows without the audio thread. */
export interface Facts {
  readonly ended: boolean;
  readonly suspended: boolean;
  readonly bypass: boolean;
  /** An engine runs, as far as the page was told; undefined: none has, and none has failed. */
  readonly runs: boolean | undefined;
}

/** Dispatches "state" on a target whose state a callback computes. */
export class StateNotifier {
  readonly #target: EventTarget;
  readonly #find: () => StreamState;
  #before: StreamState = "starting";

  constructor(target: EventTarget, find: () => StreamState) {
    this.#target = target;
    this.#find = find;
  }

  /** Call whenever the state may have changed. */
  readonly update = (): void => {
    const state = this.#find(); // This may itself lead to an update.
    const before = this.#before;
    this.#before = state;
    if (state !== before) dispatchDetail<StateChange>(this.#target, "state", { state, before });
  };
}

interface Events {
  /** Called before the event "state". */
  readonly changed?: (state: StreamState, before: StreamState) => void;
  /** Ticks, four per second, without a heartbeat. */
  readonly late?: (ticks: number) => void;
}

const TICK_MS = 250;
/** Longest gap between heartbeats; one tick more lets queued messages in after the page was busy. */
const PATIENCE_MS = 700;
const SILENT_HEARTBEATS = 10;

/** Dispatches "state" on a stream whenever its state changes. */
export class StateMonitor {
  readonly #stream: EventTarget;
  readonly #facts: () => Facts;
  readonly #events: Events;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #heartbeat: Heartbeat | undefined;
  #heartbeatAt = 0;
  #lateTicks = 0;
  #silentHeartbeats = 0;
  #state: StreamState = "starting";
  #stopped = false;

  /** live: false where no heartbeats come, as in an offline context */
  constructor(stream: EventTarget, facts: () => Facts, live: boolean, events: Events) {
    this.#stream = stream;
    this.#facts = facts;
    this.#events = events;
    this.#timer = live ? setInterval(() => this.#tick(), TICK_MS) : undefined;
    this.#heartbeatAt = performance.now();
  }

  get state(): StreamState {
    this.update();
    return this.#state;
  }

  /** Whether what comes out is processed by the kernel. */
  get suppressing(): boolean {
    return ["suppressing", "silent"].includes(this.state);
  }

  note(heartbeat: Heartbeat): void {
    this.#heartbeat = heartbeat;
    this.#heartbeatAt = performance.now();
    this.#lateTicks = 0;
    this.#silentHeartbeats = heartbeat.arrived && heartbeat.silent ? this.#silentHeartbeats + 1 : 0;
    this.update();
  }

  /** An engine or its context has just started: forget older heartbeats. */
  begin(): void {
    this.#heartbeat = undefined;
    this.#heartbeatAt = performance.now();
    this.#lateTicks = 0;
    this.update();
  }

  /** Stop monitoring. */
  stop(): void {
    clearInterval(this.#timer);
    this.#stopped = true;
  }

  /** Recompute the state. */
  update(): void {
    const state = this.#find();
    const before = this.#state;
    if (state === before || this.#stopped) return;
    this.#state = state;
    if (state === "ended") clearInterval(this.#timer);
    this.#events.changed?.(state, before);
    dispatchDetail<StateChange>(this.#stream, "state", { state, before });
  }

  #tick(): void {
    this.#lateTicks = performance.now() - this.#heartbeatAt > PATIENCE_MS ? this.#lateTicks + 1 : 0;
    if (this.#lateTicks > 0) this.#events.late?.(this.#lateTicks);
    this.update();
  }

  #find(): StreamState {
    const { ended, suspended, bypass, runs } = this.#facts();
    if (ended) return "ended";
    if (suspended) return "suspended";
    if (runs === undefined) return "starting";
    if (this.#lateTicks > 1) return "stalled";
    if (!runs) return "fallback";
    const heartbeat = this.#heartbeat;
    if (heartbeat !== undefined && !heartbeat.arrived) return "no-input";
    if (bypass) return "bypass";
    if (this.#silentHeartbeats >= SILENT_HEARTBEATS) return "silent";
    return heartbeat === undefined || heartbeat.cleaned ? "suppressing" : "fallback";
  }
}
