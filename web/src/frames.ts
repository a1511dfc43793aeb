// Page thread: the frame path. A Worker gets the microphone's frames of 10 ms and gives cleaned ones back.

import { asSordinoError, SordinoError } from "./errors.js";
import { dispatchDetail, dispatchError, type Fallback, type Overrun, TrackTarget } from "./events.js";
import { chooseEngine, fetchEngine, locate, type ModelName } from "./load.js";
import type { FrameRequest, Readout, Reply, Settings } from "./messages.js";
import {
  type Changes,
  type CustomModel,
  changedSettings,
  channelCount,
  initialSettings,
  type SordinoOptions,
} from "./options.js";
import { Recovery } from "./recovery.js";
import { lighterThan, type Model, modelOf, nameOf } from "./tiers.js";
import { Outcomes, Readouts } from "./waiting.js";

interface TrackProcessor {
  readonly readable: ReadableStream;
}
type TrackGenerator = MediaStreamTrack & { readonly writable: WritableStream };

/** Not in every browser, hence not in the standard types. */
interface Breakout {
  readonly MediaStreamTrackProcessor?: new (init: { track: MediaStreamTrack }) => TrackProcessor;
  readonly MediaStreamTrackGenerator?: new (init: { kind: "audio" }) => TrackGenerator;
}

const breakout = globalThis as Breakout;

/** Whether this browser has the frame path (Chromium has). */
export function canUseFrames(): boolean {
  return breakout.MediaStreamTrackProcessor !== undefined && breakout.MediaStreamTrackGenerator !== undefined;
}

/** Suppression of one track in a Worker. Events and settings as of SordinoNode; until it is ready the voice passes. */
export class FrameStream extends TrackTarget {
  readonly track: MediaStreamTrack;
  /** Settles when suppression has begun or the first attempt has failed. */
  readonly started: Promise<void>;
  readonly #options: SordinoOptions;
  readonly #recovery: Recovery;
  readonly #end = new AbortController();
  readonly #writable: WritableStream;
  readonly #outcomes = new Outcomes();
  /** Models that were sent to the Worker, by the ids of their engines. */
  readonly #inWork = new Map<number, Model>();
  readonly #readouts = new Readouts(() => this.#send({ type: "read" }));
  readonly #settle: () => void;
  /** undefined where the browser refused its script. */
  #worker: Worker | undefined;
  #settings: Settings;
  #model: Model;
  #nextId = 0;
  #running = false;
  #latencySamples = 0;
  #source: MediaStreamTrack;
  #loaded = false;
  #sent = false;
  #overruns = 0;
  /** The page's own pipe, which carries the voice where there is no Worker. */
  #piping: Promise<void> = Promise.resolve();
  #endPipe = new AbortController();

  /** throws SordinoError "option" or "unsupported" */
  constructor(source: MediaStreamTrack, options: SordinoOptions) {
    super();
    if (!canUseFrames()) throw new SordinoError("unsupported", "there is no MediaStreamTrackProcessor here");
    this.#source = source;
    this.#options = options;
    this.#settings = initialSettings(options);
    this.#model = modelOf(options);
    const { worker } = locate(chooseEngine(options.engine ?? "auto"), this.#model, options);
    const generator = new breakout.MediaStreamTrackGenerator!({ kind: "audio" });
    this.track = generator;
    this.#writable = generator.writable;
    this.#recovery = new Recovery(() => void this.#recover(this.#model), options.retryMs);
    let settle = (): void => undefined;
    this.started = new Promise((resolve) => {
      settle = resolve;
    });
    this.#settle = settle;
    this.#employ(options.assets?.worker || options.assets?.base ? worker : undefined);
    void this.#recover(this.#model);
  }

  get suppressing(): boolean {
    return this.#running;
  }

  /** The name of the model that runs. */
  get model(): string {
    return nameOf(this.#model);
  }

  /** Delay between input and output in samples of the source: the kernel's alone. */
  get latencySamples(): number {
    return this.#latencySamples;
  }

  /** Change settings while it runs. throws SordinoError "option" */
  update(changes: Changes): void {
    this.#settings = changedSettings(this.#settings, changes);
    this.#send({ type: "settings", settings: this.#settings });
  }

  /** Change the model: it warms up unheard, then fades in. Rejects with SordinoError; the old one then runs on. */
  async setModel(model: ModelName | CustomModel): Promise<void> {
    const { signal } = this.#end;
    const options = this.#options;
    const files = await fetchEngine(locate(chooseEngine(options.engine ?? "auto"), model, options), signal);
    const shape = { channels: channelCount(options), linked: options.linked ?? true };
    const startup = { ...files, ...shape, settings: this.#settings, realTime: options.overrunPolicy !== "ignore" };
    const id = this.#nextId++;
    this.#inWork.set(id, model);
    this.#send({ type: "start", startup, id }, [files.wasm, files.weights]);
    try {
      await this.#outcomes.of(id, signal);
    } finally {
      this.#inWork.delete(id);
    }
  }

  /** Forget the past of the stream, counters included. */
  reset(): void {
    this.#send({ type: "reset" });
  }

  /** As of SordinoNode.read(); before the stream is ready it waits for that. */
  read(): Promise<Readout> {
    return this.#readouts.read();
  }

  /** After a "fallback": try again now. */
  retry(): void {
    if (this.#worker && !this.#running && !this.#end.signal.aborted) this.#recovery.now();
  }

  /** Take the voice from another track. */
  listenTo(source: MediaStreamTrack): void {
    this.#source = source;
    if (!this.#worker) this.#carry();
    if (!this.#worker || !this.#loaded) return;
    const { readable } = new breakout.MediaStreamTrackProcessor!({ track: source });
    const writable = this.#sent ? undefined : this.#writable;
    this.#sent = true;
    this.#send({ type: "source", readable, writable }, writable ? [readable, writable] : [readable]);
  }

  stop(): void {
    const reason = new SordinoError("aborted", "the stream was stopped");
    this.#end.abort(reason);
    this.#recovery.cancel();
    this.#endPipe.abort();
    this.#worker?.terminate();
    this.track.stop();
    this.#readouts.close(reason);
    this.#settle();
  }

  protected override tellVoice(on: boolean): void {
    this.#send({ type: "voice", on });
  }

  #send(request: FrameRequest, transfer: Transferable[] = []): void {
    if (!this.#end.signal.aborted) this.#worker?.postMessage(request, transfer);
  }

  /** Start the Worker. script: where it is not beside the package's own */
  #employ(script: URL | undefined): void {
    try {
      const worker = script ? new Worker(script) : defaultWorker();
      worker.onmessage = (event: MessageEvent<Reply | { type: "loaded" }>) => this.#hear(event.data);
      worker.onerror = (event) => {
        if (this.#loaded) this.#fallBack(new SordinoError("runtime", `the Worker failed: ${event.message}`));
        else this.#refused(event);
      };
      this.#worker = worker;
    } catch (cause) {
      queueMicrotask(() => this.#refused(cause));
    }
  }

  /** One attempt. It never rejects. */
  async #recover(model: Model): Promise<void> {
    try {
      await this.setModel(model);
    } catch (cause) {
      const error = asSordinoError(cause);
      if (this.#end.signal.aborted || !this.#worker) return;
      if (error.code === "overrun") this.#stepDown(model, error);
      else this.#fallBack(error);
    }
  }

  #hear(reply: Reply | { type: "loaded" }): void {
    switch (reply.type) {
      case "loaded":
        this.#loaded = true;
        this.listenTo(this.#source);
        break;
      case "ready":
        this.#latencySamples = reply.latencySamples;
        this.#model = this.#inWork.get(reply.id) ?? this.#model;
        this.#running = true;
        this.#recovery.cancel();
        this.#outcomes.settle(reply.id);
        this.#readouts.askAgain();
        this.#settle();
        this.dispatchEvent(new Event("ready"));
        break;
      case "readout":
        this.#readouts.answer(reply.readout);
        break;
      case "voice":
        this.dispatchVoice(reply.probability);
        break;
      case "overrun":
        this.#overruns = reply.overruns;
        if (reply.stopped) {
          this.#stepDown(this.#model, new SordinoError("overrun", "the kernel was too slow for too long"));
        } else {
          this.#sayOverrun("none", this.#model);
        }
        break;
      case "failure": {
        const error = new SordinoError(reply.failure.code, reply.failure.message);
        if (!this.#outcomes.settle(reply.id, error)) this.#fallBack(error);
        break;
      }
    }
  }

  #sayOverrun(action: Overrun["action"], model: Model): void {
    dispatchDetail<Overrun>(this, "overrun", { overruns: this.#overruns, action, model: nameOf(model) });
  }

  /** A model was too slow: on to a lighter one, or a pause. */
  #stepDown(slow: Model, cause: SordinoError): void {
    this.#model = slow;
    const lighter = lighterThan(slow, this.#options);
    this.#sayOverrun(lighter === undefined ? "bypass" : "step-down", lighter ?? slow);
    this.#fallBack(cause, lighter !== undefined);
    if (lighter !== undefined) void this.#recover(lighter);
  }

  /** The unchanged voice plays. Says so, and plans an attempt to go on unless one is under way. */
  #fallBack(cause: SordinoError, underWay = false): void {
    this.#running = false;
    this.#settle();
    dispatchError(this, cause);
    const retryInMs = underWay ? 0 : this.#recovery.plan();
    dispatchDetail<Fallback>(this, "fallback", { cause, retryInMs, retry: () => this.retry() });
  }

  /** The browser refused the Worker's script: the page itself carries the voice from the source to the track. */
  #refused(reason: unknown): void {
    if (this.#end.signal.aborted) return;
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#carry();
    this.#recovery.cancel();
    this.#settle();
    const cause = new SordinoError("worklet", "the browser refused the Worker's script", reason);
    this.#outcomes.settleAll(cause);
    this.#readouts.close(cause);
    dispatchError(this, cause);
    dispatchDetail<Fallback>(this, "fallback", { cause, retryInMs: undefined, retry: () => undefined });
  }

  /** Pipe the source's frames to the track, as soon as those of the source before no longer are. */
  #carry(): void {
    this.#endPipe.abort();
    this.#endPipe = new AbortController();
    const kept = { signal: this.#endPipe.signal, preventAbort: true, preventClose: true };
    const track = this.#source;
    this.#piping = this.#piping
      .then(() => new breakout.MediaStreamTrackProcessor!({ track }).readable.pipeTo(this.#writable, kept))
      .catch(() => undefined);
  }
}

/** The literal stands in new Worker(new URL(...)) so that bundlers find it. */
function defaultWorker(): Worker {
  return new Worker(new URL("./sordino.worker.js", import.meta.url));
}
