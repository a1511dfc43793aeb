// Page thread: the frame path. A Worker gets the microphone's frames of 10 ms and gives cleaned ones back.

import { SordinoError } from "./errors.js";
import { TrackTarget } from "./events.js";
import { chooseEngine, fetchEngine, locate, type ModelName } from "./load.js";
import type { EngineFiles, FrameReply, FrameRequest, Readout, Settings } from "./messages.js";
import {
  type Changes,
  type CustomModel,
  changedSettings,
  initialSettings,
  type SordinoOptions,
  streamShape,
} from "./options.js";
import { SAMPLE_RATE } from "./params.js";
import { checkOptions } from "./start.js";
import { type Model, modelOf } from "./tiers.js";
import { Upkeep } from "./upkeep.js";
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
  readonly #upkeep: Upkeep;
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
  #nextId = 0;
  #latencySamples = 0;
  #rate: number = SAMPLE_RATE;
  #voice = 0;
  #source: MediaStreamTrack;
  #loaded = false;
  #sent = false;
  /** The page's own pipe, which carries the voice where there is no Worker. */
  #piping: Promise<void> = Promise.resolve();
  #endPipe = new AbortController();

  /** throws SordinoError "option" or "unsupported" */
  constructor(source: MediaStreamTrack, options: SordinoOptions) {
    super();
    if (!canUseFrames()) throw new SordinoError("unsupported", "there is no MediaStreamTrackProcessor here");
    checkOptions(options);
    this.#source = source;
    this.#options = options;
    this.#settings = initialSettings(options);
    const engine = chooseEngine(options.engine ?? "auto");
    const { worker } = locate(engine, modelOf(options), options);
    const generator = new breakout.MediaStreamTrackGenerator!({ kind: "audio" });
    this.track = generator;
    this.#writable = generator.writable;
    const load = (model: Model): Promise<EngineFiles> => fetchEngine(locate(engine, model, options), this.#end.signal);
    this.#upkeep = new Upkeep(this, options, load, (model, files) => this.#run(model, files));
    let settle = (): void => undefined;
    this.started = new Promise((resolve) => {
      settle = resolve;
    });
    this.#settle = settle;
    this.addEventListener("fallback", settle, { once: true });
    this.#employ(options.assets?.worker || options.assets?.base ? worker : undefined);
    void this.#upkeep.attempt();
  }

  get suppressing(): boolean {
    return this.#upkeep.suppressing;
  }

  /** The name of the model that runs. */
  get model(): string {
    return this.#upkeep.model;
  }

  /** Delay between input and output in samples of the source: the kernel's alone; 0 while frames pass by no kernel. */
  get latencySamples(): number {
    return this.#latencySamples;
  }

  /** The same, with its length. */
  get latency(): { readonly samples: number; readonly seconds: number } {
    return { samples: this.#latencySamples, seconds: this.#latencySamples / this.#rate };
  }

  /** Probability, 0 to 1, of a voice: in the last hop while "voice" is listened to, else as of the last read-out. */
  get voice(): number {
    return this.suppressing ? this.#voice : 0;
  }

  /** Change settings while it runs. throws SordinoError "option" */
  update(changes: Changes): void {
    this.#settings = changedSettings(this.#settings, changes);
    this.#send({ type: "settings", settings: this.#settings });
  }

  /**
   * Change the model: it warms up unheard, then fades in. Asked more than once, one after the other; the last one stays.
   * Rejects with SordinoError; the old one then runs on.
   */
  async setModel(model: ModelName | CustomModel): Promise<void> {
    await this.started;
    await this.#upkeep.change(model);
  }

  async #run(model: Model, files: EngineFiles): Promise<void> {
    const options = this.#options;
    const realTime = options.overrunPolicy !== "ignore";
    const startup = { ...files, ...streamShape(options), settings: this.#settings, realTime };
    const id = this.#nextId++;
    this.#inWork.set(id, model);
    this.#send({ type: "start", startup, id }, [files.wasm, files.weights]);
    try {
      await this.#outcomes.of(id, this.#end.signal);
    } finally {
      this.#inWork.delete(id);
    }
  }

  /** Forget the past of the stream, counters included. */
  reset(): void {
    this.#voice = 0;
    this.#send({ type: "reset" });
  }

  /** As of SordinoNode.read(); before the stream is ready it waits for that. */
  read(): Promise<Readout> {
    return this.#readouts.read();
  }

  /** After a "fallback": try again now. */
  retry(): void {
    this.#upkeep.retry();
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
    this.#upkeep.end();
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
      worker.onmessage = (event: MessageEvent<FrameReply>) => this.#hear(event.data);
      worker.onerror = (event) => {
        if (this.#loaded) this.#workerFailed(new SordinoError("runtime", `the Worker failed: ${event.message}`));
        else this.#refused(event);
      };
      this.#worker = worker;
    } catch (cause) {
      queueMicrotask(() => this.#refused(cause));
    }
  }

  #hear(reply: FrameReply): void {
    switch (reply.type) {
      case "loaded":
        this.#loaded = true;
        this.listenTo(this.#source);
        break;
      case "rate":
        this.#rate = reply.rate;
        break;
      case "direct":
        this.#latencySamples = 0;
        break;
      case "ready":
        this.#latencySamples = reply.latencySamples;
        this.#upkeep.ready(this.#inWork.get(reply.id));
        this.#outcomes.settle(reply.id);
        this.#readouts.askAgain();
        this.#settle();
        this.dispatchEvent(new Event("ready"));
        break;
      case "readout":
        this.#voice = reply.readout.voice;
        this.#readouts.answer(reply.readout);
        break;
      case "voice":
        this.#voice = reply.probability;
        this.dispatchVoice(reply.probability);
        break;
      case "overrun":
        this.#upkeep.overrun(reply.overruns, reply.stopped);
        break;
      case "failure": {
        const error = new SordinoError(reply.failure.code, reply.failure.message);
        if (!this.#outcomes.settle(reply.id, error)) this.#upkeep.failed(error);
        break;
      }
    }
  }

  /** What was asked of it will not be answered. */
  #workerFailed(cause: SordinoError): void {
    if (!this.#outcomes.settleAll(cause)) this.#upkeep.failed(cause);
  }

  /** The browser refused the Worker's script: the page itself carries the voice from the source to the track. */
  #refused(reason: unknown): void {
    if (this.#end.signal.aborted) return;
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#carry();
    const cause = new SordinoError("worklet", "the browser refused the Worker's script", reason);
    this.#upkeep.end(cause);
    this.#outcomes.close(cause);
    this.#readouts.close(cause);
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
