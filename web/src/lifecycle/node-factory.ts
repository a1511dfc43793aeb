// Page thread: creates a node and routes the signal through it; on failure emits `error` and retries with back-off.

import { dispatchFallback, forwardEvents } from "../contract/events.js";
import { asSordinoError, SordinoError } from "../protocol/errors.js";
import { Backoff } from "./backoff.js";

/** What a factory needs of its nodes: a SordinoNode has it. */
interface ManagedNode extends EventTarget {
  retry(): void;
  destroy(): void;
}

/** Routes the signal through a node; undefined: past it. */
type Route<N> = (node: N | undefined) => void;

/** One attempt and one node at a time. Dispatches "error" and "fallback" on a target, and forwards the node's events. */
export class NodeFactory<N extends ManagedNode> {
  readonly #target: EventTarget;
  readonly #create: (signal: AbortSignal) => Promise<N>;
  readonly #route: Route<N>;
  readonly #backoff: Backoff;
  readonly #end = new AbortController();
  #underWay: Promise<void> | undefined;
  #giveUp = new AbortController();
  #node: N | undefined;

  /**
   * create   a new node, given up when the signal fires
   * route    routes the signal through a node or, given undefined, past it
   * retryMs  as of SordinoOptions
   */
  constructor(
    target: EventTarget,
    create: (signal: AbortSignal) => Promise<N>,
    route: Route<N>,
    retryMs: number | undefined,
  ) {
    this.#target = target;
    this.#create = create;
    this.#route = route;
    this.#backoff = new Backoff(() => void this.begin(), retryMs);
  }

  /** undefined until the first is created, and while creation fails. */
  get node(): N | undefined {
    return this.#node;
  }

  /** The pending attempt. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  /** Start an attempt, or join the pending one. Never rejects: failures are dispatched and retried. */
  begin(): Promise<void> {
    this.#backoff.cancel();
    this.#underWay ??= this.#attempt();
    return this.#underWay;
  }

  /** Retry now, unless a node is suppressing. */
  retry(): void {
    if (this.#end.signal.aborted) return;
    if (this.#node) this.#node.retry();
    else void this.begin();
  }

  /** Abort the pending attempt: it fails with "aborted". */
  giveUp(): void {
    this.#giveUp.abort();
  }

  /** Stop attempts and events. The caller destroys the node. */
  end(): void {
    this.#end.abort();
    this.#backoff.cancel();
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

  #adopt(node: N): void {
    const { signal } = this.#end;
    this.#node = node;
    forwardEvents(node, this.#target, signal);
    node.addEventListener("processorerror", () => this.#lost(), { signal });
    this.#route(node);
  }

  /** The browser has silenced the node: route past it and schedule a new one. */
  #lost(): void {
    this.#node = undefined;
    this.#route(undefined);
    this.#backoff.plan();
  }

  #fallBack(cause: SordinoError): void {
    dispatchFallback(this.#target, { cause, retryInMs: this.#backoff.plan(cause), retry: () => this.retry() });
  }
}

/** Call act() if the signal fires before `started` settles. started: never rejects */
export function whileStarting(started: Promise<void>, signal: AbortSignal | undefined, act: () => void): void {
  if (signal?.aborted) act();
  signal?.addEventListener("abort", act);
  void started.then(() => signal?.removeEventListener("abort", act));
}
