// Page thread: requests to the audio thread that wait for an answer: engines and read-outs; a queue for async work.

import { aborted, SordinoError } from "../protocol/errors.js";
import type { Readout } from "../protocol/messages.js";

type Settle = (outcome: undefined | SordinoError) => void;

/** Runs async work one after the other, first come first served. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  /** Settles as the work does, which starts once all earlier work has settled. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** Engines sent to the audio thread, by id, until they run or have failed. */
export class PendingEngines {
  readonly #pending = new Map<number, Settle>();
  #closed: SordinoError | undefined;

  /**
   * Wait until an engine runs.
   *
   * late     the error after timeoutMs; both or neither
   * rejects  SordinoError
   */
  async of(id: number, signal?: AbortSignal, timeoutMs?: number, late?: () => SordinoError): Promise<void> {
    if (this.#closed) throw this.#closed;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAbort = (): void => void this.settle(id, aborted(signal!));
    const outcome = await new Promise<undefined | SordinoError>((settle) => {
      this.#pending.set(id, settle);
      signal?.addEventListener("abort", onAbort);
      if (signal?.aborted) onAbort();
      if (timeoutMs !== undefined) timer = setTimeout(() => settle(late!()), timeoutMs);
    });
    this.#pending.delete(id);
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    if (outcome) throw outcome;
  }

  /** Settle one engine. Returns whether it was pending. */
  settle(id: number | undefined, outcome?: SordinoError): boolean {
    const settle = id === undefined ? undefined : this.#pending.get(id);
    settle?.(outcome);
    return settle !== undefined;
  }

  /** Settle all engines with one error. Returns whether any was pending. */
  settleAll(outcome: SordinoError): boolean {
    const waiting = [...this.#pending.values()];
    for (const settle of waiting) settle(outcome);
    return waiting.length > 0;
  }

  /** Reject what is pending and all later requests. */
  close(reason: SordinoError): void {
    this.#closed ??= reason;
    this.settleAll(reason);
  }
}

/** Read-outs: one message serves all pending requests. */
export class PendingReadouts {
  readonly #ask: () => void;
  #waiting: ((answer: Readout | SordinoError) => void)[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #closed: SordinoError | undefined;

  constructor(ask: () => void) {
    this.#ask = ask;
  }

  /** rejects SordinoError when the audio thread is gone */
  read(): Promise<Readout> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(this.#closed);
        return;
      }
      this.#waiting.push((answer) => (answer instanceof SordinoError ? reject(answer) : resolve(answer)));
      if (this.#waiting.length === 1) this.#ask();
    });
  }

  /** Repeat the request if any is pending: the first one was sent before an engine ran. */
  askAgain(): void {
    if (this.#waiting.length > 0) this.#ask();
  }

  answer(answer: Readout | SordinoError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell(answer);
  }

  start(intervalMs: number): void {
    this.stop();
    if (this.#closed) return;
    this.#timer = setInterval(() => {
      if (this.#waiting.length === 0) this.read().then(undefined, () => this.stop());
    }, intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Reject what is pending and all later requests. */
  close(reason: SordinoError): void {
    this.#closed = reason;
    this.stop();
    this.answer(reason);
  }
}
