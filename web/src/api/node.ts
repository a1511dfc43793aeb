// Page thread: SordinoNode, the AudioWorkletNode that suppresses noise: created, and driven by messages.

import type { CustomModel, Model, ModelName } from "../assets/catalogue.js";
import { fetchEngine, locate } from "../assets/load.js";
import { dispatchDetail, type Fallback, type Stats } from "../contract/events.js";
import type { SordinoOptions } from "../contract/options.js";
import type { StreamState } from "../contract/states.js";
import { PendingEngines, PendingReadouts } from "../lifecycle/pending-requests.js";
import { isOffline, type Plan, prepare } from "../lifecycle/prepare.js";
import { StateMonitor } from "../lifecycle/state-monitor.js";
import { Supervisor } from "../lifecycle/supervisor.js";
import { asSordinoError, SordinoError } from "../protocol/errors.js";
import type { EngineFiles, EngineName, Readout, Reply } from "../protocol/messages.js";
import { Controls } from "./controls.js";

const TIMEOUT_MS = 10_000;
const READOUT_INTERVAL_MS = 33;
/** Pauses before retries after an allocation failure. */
const MEMORY_PAUSES_MS = [300, 1000];
/** A new context takes a moment to start; after this time it counts as suspended. */
const CONTEXT_GRACE_MS = 1000;

/**
 * Suppresses the noise in speech. Connect it like any other node.
 *
 * One input, one output with as many channels. Events: see SordinoEventMap. Whatever fails while it runs, the unchanged
 * voice passes, with the same latency, and "error" and "fallback" say why; the node goes on by itself as soon as it can.
 */
export class SordinoNode extends Controls {
  /** The kernel that runs. */
  readonly engine: EngineName;
  readonly #supervisor: Supervisor;
  readonly #end = new AbortController();
  readonly #pendingEngines = new PendingEngines();
  /** Models sent to the processor, by engine id. */
  readonly #sent = new Map<number, Model>();
  readonly #pendingReadouts = new PendingReadouts(() => this.send({ type: "read" }));
  readonly #monitor: StateMonitor;
  #nextId = 1;
  #latencySamples = 0;
  #stateBytes = 0;
  #voice = 0;
  #readout: Readout | undefined;

  private constructor(context: BaseAudioContext, plan: Plan) {
    super(context, plan.startup);
    this.engine = plan.engine;
    const { engine, options } = plan;
    const load = (model: Model): Promise<EngineFiles> => fetchEngine(locate(engine, model, options), this.#end.signal);
    this.#supervisor = new Supervisor(this, options, load, (model, files) => this.#run(model, files));
    const offline = isOffline(context);
    const facts = () => ({
      ended: this.destroyed || (!offline && context.state === "closed"),
      suspended: !offline && context.state !== "running",
      bypass: this.bypass,
      runs: this.#supervisor.runs,
    });
    this.#monitor = new StateMonitor(this, facts, !offline, {
      changed: (state, before) => this.#stateChanged(state, before),
    });
    this.port.onmessage = (event: MessageEvent<Reply>) => this.#hear(event.data);
    const { signal } = this.#end;
    this.addEventListener("processorerror", () => this.#processorFailed(), { signal });
    if (offline) context.addEventListener("complete", () => this.send({ type: "finish" }), { signal });
    else context.addEventListener("statechange", () => this.#contextChanged(), { signal });
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
      await node.#begin(plan);
    } catch (error) {
      node.destroy();
      throw error;
    }
    setTimeout(() => node.suppressing && node.dispatchEvent(new Event("ready")));
    const patience = setTimeout(() => !node.suppressing && node.#contextChanged(), CONTEXT_GRACE_MS);
    node.#end.signal.addEventListener("abort", () => clearTimeout(patience));
    return node;
  }

  /** Wait until the first engine runs; retry after allocation failures, as other streams may free memory. */
  async #begin({ options, startup, model }: Plan): Promise<void> {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    const late = (): SordinoError => {
      const { state } = this.context;
      return new SordinoError("timeout", `the worklet did not answer within ${timeoutMs} ms (the context is ${state})`);
    };
    let outcome = this.#pendingEngines.of(0, options.signal, timeoutMs, late);
    for (const pauseMs of MEMORY_PAUSES_MS) {
      const error = await outcome.then(() => undefined, asSordinoError);
      if (error === undefined) return;
      if (error.code !== "memory") throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      const { wasm, weights } = startup;
      const id = this.#nextId++;
      this.#sent.set(id, model);
      outcome = this.#pendingEngines.of(id, options.signal, timeoutMs, late);
      this.send({ type: "engine", id, wasm, weights });
    }
    await outcome;
  }

  /** The name of the model that runs. */
  get model(): string {
    return this.#supervisor.model;
  }

  /** What the node does now; changes dispatch "state". */
  get state(): StreamState {
    return this.#monitor.state;
  }

  /** Whether noise is being removed: what came out within the last second was processed by the kernel. */
  get suppressing(): boolean {
    return this.#monitor.suppressing;
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
    return this.#supervisor.suppressing ? this.#voice : 0;
  }

  /** What the node costs, as of the last read-out; undefined before the first. */
  get stats(): Stats | undefined {
    return this.#readout && { ...this.#readout.stats, engine: this.engine, model: this.model };
  }

  /**
   * Change the model: it warms up unheard, then fades in. Asked more than once, one after the other; the last one stays.
   * Rejects with SordinoError; the old one then runs on.
   */
  async setModel(model: ModelName | CustomModel): Promise<void> {
    await this.#supervisor.change(model);
  }

  async #run(model: Model, files: EngineFiles): Promise<void> {
    const id = this.#nextId++;
    this.#sent.set(id, model);
    this.send({ type: "engine", id, ...files }, [files.wasm, files.weights]);
    try {
      await this.#pendingEngines.of(id, this.#end.signal);
    } finally {
      this.#sent.delete(id);
    }
  }

  /** Reset the stream's state and counters; retry after a failure. */
  reset(): void {
    this.#readout = undefined;
    this.#voice = 0;
    this.send({ type: "reset" });
    this.retry();
  }

  /** After a "fallback": try again now. */
  retry(): void {
    this.#supervisor.retry();
  }

  /** Read levels, gains and cost of the running stream. Levels since the last read-out. Rejects when the node is destroyed. */
  read(): Promise<Readout> {
    return this.#pendingReadouts.read();
  }

  /** Dispatch "readout" events, about 30 in a second unless told otherwise. */
  startReadout(intervalMs: number = READOUT_INTERVAL_MS): void {
    this.#pendingReadouts.start(intervalMs);
  }

  stopReadout(): void {
    this.#pendingReadouts.stop();
  }

  /** Disconnect, and free the processor with all its memory. Without this a processor lives as long as its context. */
  override destroy(): void {
    if (this.destroyed) return;
    this.#supervisor.end();
    this.#end.abort();
    super.destroy();
    this.#monitor.update();
    this.#giveUp(new SordinoError("aborted", "the node was destroyed"));
  }

  /** Reject all pending requests: the processor is gone. */
  #giveUp(reason: SordinoError): void {
    this.#pendingEngines.close(reason);
    this.#pendingReadouts.close(reason);
  }

  #hear(reply: Reply): void {
    switch (reply.type) {
      case "heartbeat":
        this.#monitor.note(reply);
        break;
      case "ready":
        this.#latencySamples = reply.latencySamples;
        this.#stateBytes = reply.stateBytes;
        this.#supervisor.ready(this.#sent.get(reply.id));
        this.#monitor.begin();
        this.#pendingEngines.settle(reply.id);
        if (reply.id !== 0) this.dispatchEvent(new Event("ready"));
        break;
      case "readout":
        this.#readout = reply.readout;
        this.#voice = reply.readout.voice;
        this.#pendingReadouts.answer(reply.readout);
        dispatchDetail(this, "readout", reply.readout);
        break;
      case "voice":
        this.#voice = reply.probability;
        this.dispatchVoice(reply.probability);
        break;
      case "overrun":
        this.#supervisor.overrun(reply.overruns, reply.stopped);
        break;
      case "failure": {
        const error = new SordinoError(reply.failure.code, reply.failure.message);
        if (!this.#pendingEngines.settle(reply.id, error)) this.#supervisor.failed(error);
        break;
      }
    }
  }

  #processorFailed(): void {
    const error = new SordinoError("worklet", "the processor threw an exception; the browser has silenced the node");
    this.#giveUp(error);
    this.#supervisor.end(error);
  }

  #contextChanged(): void {
    const { state } = this.context;
    if (state === "closed") {
      this.destroy();
      return;
    }
    if (state === "running") {
      this.#monitor.begin();
      if (this.#supervisor.suppressing) this.dispatchEvent(new Event("ready"));
      return;
    }
    this.#monitor.update();
    this.#standsStill(new SordinoError("suspended", `the context is ${state}; nothing passes through it`));
  }

  #stateChanged(state: StreamState, before: StreamState): void {
    if (state === "stalled") {
      const message = "the context is said to run, but the browser does not call its audio thread";
      this.#standsStill(new SordinoError("stalled", message));
    }
    if (before === "stalled" && this.#supervisor.suppressing) this.dispatchEvent(new Event("ready"));
  }

  #standsStill(cause: SordinoError): void {
    const retry = (): void => void (this.context as AudioContext).resume().catch(() => undefined);
    dispatchDetail<Fallback>(this, "fallback", { cause, retryInMs: undefined, retry });
  }
}
