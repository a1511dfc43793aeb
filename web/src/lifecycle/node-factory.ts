// Page thread: attempts to lead a voice through a N. What fails is told, and tried again where that may help.

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

/** One attempt at a time, one node at a time; "error", "fallback" and all that the node tells go to a target. */
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

  /** undefined until one works, and while its creation fails. */
  get node(): N | undefined {
    return this.#node;
  }

  /** The attempt that has not yet come to an end. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay;
  }

  /** One attempt, or the one that is under way. It never rejects: what goes wrong is told, and tried again. */
  begin(): Promise<void> {
    this.#backoff.cancel();
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

  /** The browser has silenced the node: the voice takes the direct way, and a new node is made. */
  #lost(): void {
    this.#node = undefined;
    this.#route(undefined);
    this.#backoff.plan();
  }

  #fallBack(cause: SordinoError): void {
    dispatchFallback(this.#target, { cause, retryInMs: this.#backoff.plan(cause), retry: () => this.retry() });
  }
}

/** Do something when a signal fires before a start has come to an end. started: never rejects */
export function whileStarting(started: Promise<void>, signal: AbortSignal | undefined, act: () => void): void {
  if (signal?.aborted) act();
  signal?.addEventListener("abort", act);
  void started.then(() => signal?.removeEventListener("abort", act));
}
