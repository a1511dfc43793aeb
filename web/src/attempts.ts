// Page thread: attempts to lead a voice through a SordinoNode. What fails is told, and tried again where that may help.

import { asSordinoError, SordinoError } from "./errors.js";
import { dispatchFallback, passOn } from "./events.js";
import type { SordinoNode } from "./node.js";
import { Recovery } from "./recovery.js";

/** What a voice goes through: a node, or the direct way. */
type Use = (node: SordinoNode | undefined) => void;

/** One attempt at a time, one node at a time; "error", "fallback" and all that the node tells go to a target. */
export class Attempts {
  readonly #target: EventTarget;
  readonly #create: (signal: AbortSignal) => Promise<SordinoNode>;
  readonly #use: Use;
  readonly #recovery: Recovery;
  readonly #end = new AbortController();
  #underWay: Promise<void> | undefined;
  #giveUp = new AbortController();
  #node: SordinoNode | undefined;

  /**
   * create   a new node, given up when the signal fires
   * use      send the voice through a node, or directly again
   * retryMs  as of SordinoOptions
   */
  constructor(
    target: EventTarget,
    create: (signal: AbortSignal) => Promise<SordinoNode>,
    use: Use,
    retryMs: number | undefined,
  ) {
    this.#target = target;
    this.#create = create;
    this.#use = use;
    this.#recovery = new Recovery(() => void this.begin(), retryMs);
  }

  /** undefined until one works, and while its creation fails. */
  get node(): SordinoNode | undefined {
    return this.#node;
  }

  /** The attempt that has not yet come to an end. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  /** One attempt, or the one that is under way. It never rejects: what goes wrong is told, and tried again. */
  begin(): Promise<void> {
    this.#recovery.cancel();
    this.#underWay ??= this.#attempt();
    return this.#underWay;
  }

  /** Try again now, where nothing is suppressed. */
  retry(): void {
    if (this.#end.signal.aborted) return;
    if (this.#node) this.#node.retry();
    else void this.begin();
  }

  /** The attempt under way fails with "aborted". */
  giveUp(): void {
    this.#giveUp.abort();
  }

  /** No more attempts, and no more is told. The node is left to whoever uses it. */
  end(): void {
    this.#end.abort();
    this.#recovery.cancel();
    this.giveUp();
    this.#node = undefined;
  }

  async #attempt(): Promise<void> {
    this.#giveUp = new AbortController();
    const made = await this.#create(this.#giveUp.signal).catch(asSordinoError);
    this.#underWay = undefined;
    const failed = made instanceof SordinoError;
    if (this.#end.signal.aborted) {
      if (!failed) made.destroy();
    } else if (failed) {
      this.#fallBack(made);
    } else {
      this.#adopt(made);
    }
  }

  #adopt(node: SordinoNode): void {
    const { signal } = this.#end;
    this.#node = node;
    passOn(node, this.#target, signal);
    node.addEventListener("processorerror", () => this.#lost(), { signal });
    this.#use(node);
  }

  /** The browser has silenced the node: the voice takes the direct way, and a new node is made. */
  #lost(): void {
    this.#node = undefined;
    this.#use(undefined);
    this.#recovery.plan();
  }

  #fallBack(cause: SordinoError): void {
    dispatchFallback(this.#target, { cause, retryInMs: this.#recovery.plan(cause), retry: () => this.retry() });
  }
}

/** Do something when a signal fires before a start has come to an end. started: never rejects */
export function whileStarting(started: Promise<void>, signal: AbortSignal | undefined, act: () => void): void {
  if (signal?.aborted) act();
  signal?.addEventListener("abort", act);
  void started.then(() => signal?.removeEventListener("abort", act));
}
