// Page thread: SordinoNode, an AudioWorkletNode that suppresses noise, and how it is created.

import { Controls } from "./controls.js";
import { SordinoError } from "./errors.js";
import { dispatchDetail, dispatchError, type SordinoEventMap, type Stats } from "./events.js";
import { aborted, fetchEngine, type ModelName } from "./load.js";
import type { EngineName, Readout, Reply } from "./messages.js";
import type { CustomModel, SordinoOptions } from "./options.js";
import { Recovery } from "./recovery.js";
import { assetsFor, isOffline, type Plan, prepare } from "./start.js";

const TIMEOUT_MS = 10_000;
const READOUT_INTERVAL_MS = 33;

type Settle = (outcome: undefined | SordinoError) => void;

/**
 * Suppresses the noise in speech. Connect it like any other node.
 *
 * One input, one output with as many channels. Events: see SordinoEventMap. Whatever fails while it runs, the unchanged
 * voice passes, with the same latency, and "error" and "fallback" say why; the node goes on by itself as soon as it can.
 */
export class SordinoNode extends Controls {
  /** The kernel that runs. */
  readonly engine: EngineName;
  readonly #options: SordinoOptions;
  readonly #recovery: Recovery;
  readonly #end = new AbortController();
  readonly #pending = new Map<number, Settle>();
  #model: ModelName | CustomModel;
  #nextId = 1;
  #latencySamples = 0;
  #stateBytes = 0;
  #voice = 0;
  #readout: Readout | undefined;
  #readoutTimer: ReturnType<typeof setInterval> | undefined;
  #waiting: ((readout: Readout | SordinoError) => void)[] = [];
  #suppressing = false;
  #lightened = false;

  private constructor(context: BaseAudioContext, plan: Plan) {
    super(context, plan.startup);
    this.engine = plan.engine;
    this.#model = plan.model;
    this.#options = plan.options;
    this.#recovery = new Recovery(() => void this.#recover(), plan.options.retryMs);
    this.port.onmessage = (event: MessageEvent<Reply>) => this.#hear(event.data);
    const { signal } = this.#end;
    this.addEventListener("processorerror", () => this.#processorFailed(), { signal });
    if (!isOffline(context)) context.addEventListener("statechange", () => this.#contextChanged(), { signal });
  }

  /**
   * Fetch the kernel and the weights, start the processor and wait until it is ready.
   *
   * context  8000 to 192000 Hz; may be an OfflineAudioContext, may still be suspended
   * rejects  SordinoError; its code says what went wrong
   */
  static async create(context: BaseAudioContext, options: SordinoOptions = {}): Promise<SordinoNode> {
    const plan = await prepare(context, options);
    let node: SordinoNode;
    try {
      node = new SordinoNode(context, plan);
    } catch (cause) {
      throw new SordinoError("worklet", `the browser did not create the processor: ${cause}`, cause);
    }
    try {
      await node.#outcome(0, options.signal, options.timeoutMs ?? TIMEOUT_MS);
    } catch (error) {
      node.destroy();
      throw error;
    }
    setTimeout(() => node.#suppressing && node.dispatchEvent(new Event("ready")));
    return node;
  }

  /** The name of the model that runs. */
  get model(): string {
    return typeof this.#model === "string" ? this.#model : this.#model.name;
  }

  /** Whether noise is being removed; false while the unchanged voice plays because of a failure. */
  get suppressing(): boolean {
    return this.#suppressing && (this.context.state === "running" || isOffline(this.context));
  }

  /** Delay between input and output, everything counted. */
  get latency(): { readonly samples: number; readonly seconds: number } {
    return { samples: this.#latencySamples, seconds: this.#latencySamples / this.context.sampleRate };
  }

  /** Bytes that the stream carries from hop to hop. */
  get stateBytes(): number {
    return this.#stateBytes;
  }

  /** Probability, 0 to 1, of a voice: in the last hop while "voice" is listened to, else as of the last read-out. */
  get voice(): number {
    return this.#voice;
  }

  /** What the node costs, as of the last read-out; undefined before the first. */
  get stats(): Stats | undefined {
    return this.#readout && { ...this.#readout.stats, engine: this.engine, model: this.model };
  }

  /** Change the model: it warms up unheard, then fades in. Rejects with SordinoError; the old one then runs on. */
  async setModel(model: ModelName | CustomModel): Promise<void> {
    await this.#install(model);
    this.#model = model;
  }

  /** Forget the past of the stream, counters included. What had failed is tried again. */
  reset(): void {
    this.#readout = undefined;
    this.#voice = 0;
    this.send({ type: "reset" });
    if (!this.#suppressing) this.retry();
  }

  /** After a "fallback": try again now. */
  retry(): void {
    if (!this.#suppressing && !this.destroyed) this.#recovery.now();
  }

  /** One look at the running stream. Levels count from the read-out before. Rejects when the node is destroyed. */
  read(): Promise<Readout> {
    return new Promise((resolve, reject) => {
      if (this.destroyed) {
        reject(new SordinoError("aborted", "the node was destroyed"));
        return;
      }
      this.#waiting.push((answer) => (answer instanceof SordinoError ? reject(answer) : resolve(answer)));
      if (this.#waiting.length === 1) this.send({ type: "read" });
    });
  }

  /** Dispatch "readout" events, about 30 in a second unless told otherwise. */
  startReadout(intervalMs: number = READOUT_INTERVAL_MS): void {
    this.stopReadout();
    if (this.destroyed) return;
    const ask = (): void => {
      if (this.#waiting.length === 0) this.read().then(undefined, () => this.stopReadout());
    };
    this.#readoutTimer = setInterval(ask, intervalMs);
  }

  stopReadout(): void {
    clearInterval(this.#readoutTimer);
    this.#readoutTimer = undefined;
  }

  override addEventListener<K extends keyof SordinoEventMap>(
    type: K,
    listener: (this: SordinoNode, event: SordinoEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void {
    super.addEventListener(type, listener, options);
    if (type === "voice") this.send({ type: "voice", on: true });
  }

  /** Disconnect, and free the processor with all its memory. Without this a processor lives as long as its context. */
  override destroy(): void {
    if (this.destroyed) return;
    this.stopReadout();
    this.#recovery.cancel();
    this.#end.abort();
    super.destroy();
    const gone = new SordinoError("aborted", "the node was destroyed");
    for (const settle of this.#pending.values()) settle(gone);
    this.#answer(gone);
  }

  #answer(answer: Readout | SordinoError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell(answer);
  }

  #hear(reply: Reply): void {
    switch (reply.type) {
      case "ready":
        this.#latencySamples = reply.latencySamples;
        this.#stateBytes = reply.stateBytes;
        this.#suppressing = true;
        this.#recovery.cancel();
        this.#pending.get(reply.id)?.(undefined);
        if (reply.id !== 0) this.dispatchEvent(new Event("ready"));
        break;
      case "readout":
        this.#readout = reply.readout;
        this.#voice = reply.readout.voice;
        this.#answer(reply.readout);
        dispatchDetail(this, "readout", reply.readout);
        break;
      case "voice":
        this.#voice = reply.probability;
        dispatchDetail(this, "voice", { probability: reply.probability });
        break;
      case "overrun":
        this.#overrun(reply.overruns, reply.stopped);
        break;
      case "failure": {
        const error = new SordinoError(reply.failure.code, reply.failure.message);
        const settle = reply.id === undefined ? undefined : this.#pending.get(reply.id);
        if (settle) settle(error);
        else this.#fallBack(error);
        break;
      }
    }
  }

  /** The unchanged voice plays. Says so, and plans an attempt to go on. */
  #fallBack(cause: SordinoError): void {
    if (this.destroyed) return;
    this.#suppressing = false;
    this.#voice = 0;
    dispatchError(this, cause);
    const retryInMs = this.#recovery.plan();
    dispatchDetail(this, "fallback", { cause, retryInMs, retry: () => this.retry() });
  }

  #overrun(overruns: number, stopped: boolean): void {
    const { overrunPolicy, lighterModel } = this.#options;
    const stepDown = stopped && overrunPolicy === "step-down" && lighterModel !== undefined && !this.#lightened;
    dispatchDetail(this, "overrun", { overruns, action: stepDown ? "step-down" : stopped ? "bypass" : "none" });
    if (!stopped) return;
    this.#fallBack(new SordinoError("overrun", `the kernel was too slow for too long (${overruns} frames were late)`));
    if (!stepDown) return;
    this.#lightened = true;
    this.#model = lighterModel;
    this.retry();
  }

  /** One attempt after a failure: a fresh engine with the same model. */
  async #recover(): Promise<void> {
    try {
      await this.#install(this.#model);
    } catch (error) {
      this.#fallBack(error as SordinoError);
    }
  }

  async #install(model: ModelName | CustomModel): Promise<void> {
    const { signal } = this.#end;
    const files = await fetchEngine(assetsFor(this.engine, model, this.#options), signal);
    const id = this.#nextId++;
    this.send({ type: "engine", id, ...files }, [files.wasm, files.weights]);
    await this.#outcome(id, signal, undefined);
  }

  /** Until the engine runs. rejects SordinoError */
  async #outcome(id: number, signal: AbortSignal | undefined, timeoutMs: number | undefined): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onAbort = (): void => this.#pending.get(id)?.(aborted(signal!));
    const outcome = await new Promise<undefined | SordinoError>((settle) => {
      this.#pending.set(id, settle);
      signal?.addEventListener("abort", onAbort);
      if (timeoutMs === undefined) return;
      const late = `the worklet did not answer within ${timeoutMs} ms (the context is ${this.context.state})`;
      timer = setTimeout(() => settle(new SordinoError("timeout", late)), timeoutMs);
    });
    this.#pending.delete(id);
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    if (outcome) throw outcome;
  }

  #processorFailed(): void {
    const error = new SordinoError("worklet", "the processor threw an exception; the browser has silenced the node");
    this.#suppressing = false;
    dispatchError(this, error);
    dispatchDetail(this, "fallback", { cause: error, retryInMs: undefined, retry: () => undefined });
  }

  #contextChanged(): void {
    if (this.context.state === "running") {
      if (this.#suppressing) this.dispatchEvent(new Event("ready"));
      return;
    }
    const cause = new SordinoError("suspended", `the context is ${this.context.state}; nothing passes through it`);
    const retry = (): void => void (this.context as AudioContext).resume?.();
    dispatchDetail(this, "fallback", { cause, retryInMs: undefined, retry });
  }
}
