// Page thread: FrameStream, the frame path: a Worker processes a track's AudioData frames and writes a new track.

import type { CustomModel, Model, ModelName } from "../assets/catalogue.js";
import { chooseEngine, fetchEngine, locate } from "../assets/load.js";
import { dispatchDetail, forwardEvents, type TrackEventMap, TrackTarget, type Voice } from "../contract/events.js";
import {
  type Changes,
  changedSettings,
  initialSettings,
  type SordinoOptions,
  streamShape,
} from "../contract/options.js";
import type { StreamState } from "../contract/states.js";
import { canUseFrames, createGenerator, framesOf } from "../frames/breakout-box.js";
import type { FallbackStream } from "../frames/fallback-stream.js";
import { FramePump } from "../frames/frame-pump.js";
import { launchWorker } from "../frames/worker-launch.js";
import { keepFlowing } from "../graph/remote-track.js";
import { modelOf } from "../lifecycle/lighter-model.js";
import { PendingEngines, PendingReadouts } from "../lifecycle/pending-requests.js";
import { checkOptions } from "../lifecycle/prepare.js";
import { StateMonitor } from "../lifecycle/state-monitor.js";
import { Supervisor } from "../lifecycle/supervisor.js";
import { SordinoError } from "../protocol/errors.js";
import type { EngineFiles, FrameReply, FrameRequest, Readout, Settings } from "../protocol/messages.js";
import { SAMPLE_RATE } from "../protocol/params.js";

const TIMEOUT_MS = 10_000;
/** Ticks of 250 ms without a heartbeat after which a Worker counts as dead. */
const DEAD_TICKS = 40;

/** Suppression of one track in a Worker. Events and settings as of SordinoNode; unchanged audio passes until it is ready. */
export class FrameStream extends TrackTarget {
  readonly track: MediaStreamTrack;
  /** Settles when suppression has begun or the first attempt has failed. */
  readonly started: Promise<void>;
  readonly #options: SordinoOptions;
  readonly #supervisor: Supervisor;
  readonly #end = new AbortController();
  readonly #writable: WritableStream;
  readonly #pendingEngines = new PendingEngines();
  /** Models sent to the Worker, by engine id. */
  readonly #inWork = new Map<number, Model>();
  readonly #pendingReadouts = new PendingReadouts(() => this.#send({ type: "read" }));
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
  /** Pipes frames on the page thread where there is no Worker. */
  readonly #pump: FramePump;
  readonly #monitor: StateMonitor;
  readonly #instead: ((source: MediaStreamTrack) => FallbackStream) | undefined;
  #fallbackStream: FallbackStream | undefined;
  #changes: Changes = {};
  #release: () => void;

  /**
   * instead  makes what takes over where the Worker cannot work; without it the voice then passes unchanged
   * throws   SordinoError "option" or "unsupported"
   */
  constructor(
    source: MediaStreamTrack,
    options: SordinoOptions,
    instead?: (source: MediaStreamTrack) => FallbackStream,
  ) {
    super();
    if (!canUseFrames()) throw new SordinoError("unsupported", "there is no MediaStreamTrackProcessor here");
    checkOptions(options);
    this.#source = source;
    this.#options = options;
    this.#settings = initialSettings(options);
    const engine = chooseEngine(options.engine ?? "auto");
    const { worker } = locate(engine, modelOf(options), options);
    const generator = createGenerator();
    this.track = generator;
    this.#writable = generator.writable;
    this.#pump = new FramePump(this.#writable, framesOf);
    this.#instead = instead;
    this.#release = keepFlowing(source);
    const load = (model: Model): Promise<EngineFiles> => fetchEngine(locate(engine, model, options), this.#end.signal);
    this.#supervisor = new Supervisor(this, options, load, (model, files) => this.#run(model, files));
    let settle = (): void => undefined;
    this.started = new Promise((resolve) => {
      settle = resolve;
    });
    this.#settle = settle;
    const facts = () => ({
      ended: this.#end.signal.aborted,
      suspended: false,
      bypass: this.#settings.bypass,
      runs: this.#supervisor.runs,
    });
    this.#monitor = new StateMonitor(this, facts, true, { late: (ticks) => this.#late(ticks) });
    this.addEventListener("fallback", () => this.#fallbackStream || settle());
    const script = options.assets?.worker || options.assets?.base ? worker : undefined;
    this.#worker = launchWorker(script, worker, options.timeoutMs ?? TIMEOUT_MS, this.#end.signal, {
      message: (reply) => this.#hear(reply),
      refused: (cause) => this.#refused(cause),
      failed: (cause) => this.#workerFailed(cause),
    });
    void this.#supervisor.attempt();
  }

  /** What the stream does now; changes dispatch "state". */
  get state(): StreamState {
    return this.#fallbackStream?.state ?? this.#monitor.state;
  }

  /** Whether noise is being removed: what came out within the last second was processed by the kernel. */
  get suppressing(): boolean {
    return this.#fallbackStream?.suppressing ?? this.#monitor.suppressing;
  }

  /** The name of the model that runs. */
  get model(): string {
    return this.#fallbackStream?.node?.model ?? this.#supervisor.model;
  }

  /** Delay between input and output in samples of the source: the kernel's alone; 0 while frames pass by no kernel. */
  get latencySamples(): number {
    return this.latency.samples;
  }

  /** The same, with its length. */
  get latency(): { readonly samples: number; readonly seconds: number } {
    if (this.#fallbackStream) return this.#fallbackStream.latency;
    return { samples: this.#latencySamples, seconds: this.#latencySamples / this.#rate };
  }

  /** Probability, 0 to 1, of a voice: in the last hop while "voice" is listened to, else as of the last read-out. */
  get voice(): number {
    return this.#fallbackStream?.voice ?? (this.#supervisor.suppressing ? this.#voice : 0);
  }

  /** Change settings while it runs. throws SordinoError "option" */
  update(changes: Changes): void {
    this.#settings = changedSettings(this.#settings, changes);
    this.#changes = { ...this.#changes, ...changes };
    this.#fallbackStream?.update(changes);
    this.#send({ type: "settings", settings: this.#settings });
    this.#monitor.update();
  }

  /**
   * Change the model: it warms up unheard, then fades in. Asked more than once, one after the other; the last one stays.
   * Rejects with SordinoError; the old one then runs on.
   */
  async setModel(model: ModelName | CustomModel): Promise<void> {
    await this.started;
    await (this.#fallbackStream ? this.#fallbackStream.setModel(model) : this.#supervisor.change(model));
  }

  async #run(model: Model, files: EngineFiles): Promise<void> {
    const options = this.#options;
    const realTime = options.overrunPolicy !== "ignore";
    const startup = { ...files, ...streamShape(options), settings: this.#settings, realTime };
    const id = this.#nextId++;
    this.#inWork.set(id, model);
    this.#send({ type: "start", startup, id }, [files.wasm, files.weights]);
    try {
      await this.#pendingEngines.of(id, this.#end.signal);
    } finally {
      this.#inWork.delete(id);
    }
  }

  /** Reset the stream's state and counters. */
  reset(): void {
    this.#voice = 0;
    this.#fallbackStream?.node?.reset();
    this.#send({ type: "reset" });
  }

  /** As of SordinoNode.read(); before the stream is ready it waits for that. */
  read(): Promise<Readout> {
    return this.#fallbackStream?.node?.read() ?? this.#pendingReadouts.read();
  }

  /** After a "fallback": try again now. */
  retry(): void {
    (this.#fallbackStream ?? this.#supervisor).retry();
  }

  /** Replace the source track. */
  listenTo(source: MediaStreamTrack): void {
    this.#source = source;
    this.#release();
    this.#release = keepFlowing(source);
    if (this.#fallbackStream) this.#fallbackStream.replaceSource(source);
    else this.#lead(source);
  }

  /** Send a track's frames (of the source, or of the fallback stream) to the Worker, or pipe them on the page thread. */
  #lead(track: MediaStreamTrack): void {
    if (!this.#worker) this.#pump.start(track);
    if (!this.#worker || !this.#loaded) return;
    const readable = framesOf(track);
    const writable = this.#sent ? undefined : this.#writable;
    this.#sent = true;
    this.#send({ type: "source", readable, writable }, writable ? [readable, writable] : [readable]);
  }

  stop(): void {
    const reason = new SordinoError("aborted", "the stream was stopped");
    this.#end.abort(reason);
    this.#supervisor.end();
    this.#pump.stop();
    this.#fallbackStream?.stop();
    this.#release();
    this.#worker?.terminate();
    this.#monitor.update();
    this.track.stop();
    this.#pendingReadouts.close(reason);
    this.#settle();
  }

  protected override tellVoice(on: boolean): void {
    if (on) this.#fallbackStream?.addEventListener("voice", this.#passVoice);
    else this.#fallbackStream?.removeEventListener("voice", this.#passVoice);
    this.#send({ type: "voice", on });
  }

  #send(request: FrameRequest, transfer: Transferable[] = []): void {
    if (!this.#end.signal.aborted) this.#worker?.postMessage(request, transfer);
  }

  readonly #passVoice = (event: Event): void => this.dispatchVoice((event as CustomEvent<Voice>).detail.probability);

  #hear(reply: FrameReply): void {
    switch (reply.type) {
      case "loaded":
        this.#loaded = true;
        this.#lead(this.#source);
        break;
      case "heartbeat":
        this.#monitor.note(reply);
        break;
      case "rate":
        this.#rate = reply.rate;
        break;
      case "direct":
        this.#latencySamples = 0;
        break;
      case "ready":
        this.#latencySamples = reply.latencySamples;
        this.#supervisor.ready(this.#inWork.get(reply.id));
        this.#monitor.begin();
        this.#pendingEngines.settle(reply.id);
        this.#pendingReadouts.askAgain();
        this.#settle();
        this.dispatchEvent(new Event("ready"));
        break;
      case "readout":
        this.#voice = reply.readout.voice;
        this.#pendingReadouts.answer(reply.readout);
        break;
      case "voice":
        this.#voice = reply.probability;
        this.dispatchVoice(reply.probability);
        break;
      case "overrun":
        this.#supervisor.overrun(reply.overruns, reply.stopped);
        break;
      case "failure":
        this.#engineFailed(reply.id, new SordinoError(reply.failure.code, reply.failure.message));
        break;
    }
  }

  /** An engine did not start or the running one failed (id undefined). */
  #engineFailed(id: number | undefined, error: SordinoError): void {
    if (error.code === "wasm" && this.#instead && !this.#supervisor.suppressing) this.#takeOver(error);
    else if (!this.#pendingEngines.settle(id, error)) this.#supervisor.failed(error);
  }

  /** The Worker threw: reject pending engines, or fall back. */
  #workerFailed(cause: SordinoError): void {
    if (!this.#pendingEngines.settleAll(cause)) this.#supervisor.failed(cause);
  }

  /** The Worker did not start: use the fallback stream, or pipe frames unchanged. */
  #refused(cause: SordinoError): void {
    if (this.#end.signal.aborted || this.#fallbackStream || this.#loaded) return;
    this.#worker?.terminate();
    this.#worker = undefined;
    if (!this.#instead) this.#lead(this.#source);
    this.#takeOver(cause);
  }

  /** Switch to the fallback stream for good: the kernel cannot run in a Worker. */
  #takeOver(cause: SordinoError): void {
    const fallback = this.#instead?.(this.#source);
    this.#fallbackStream = fallback;
    this.#supervisor.end(cause);
    this.#pendingEngines.close(cause);
    this.#pendingReadouts.close(cause);
    if (fallback === undefined) return;
    this.#monitor.stop();
    const { signal } = this.#end;
    forwardEvents(fallback, this, signal);
    const tell = ({ detail }: TrackEventMap["state"]): void => dispatchDetail(this, "state", detail);
    fallback.addEventListener("state", tell as (event: Event) => void, { signal });
    fallback.update(this.#changes);
    this.tellVoice(this.voiceListeners.any);
    this.#lead(fallback.track);
    void fallback.started.then(this.#settle);
  }

  /** A dead Worker ends the track, whose WritableStream it owned. */
  #late(ticks: number): void {
    if (ticks !== DEAD_TICKS || !this.#sent) return;
    this.#supervisor.end(new SordinoError("worklet", "the Worker no longer answers; the cleaned track has ended"));
    this.track.stop();
    this.track.dispatchEvent(new Event("ended"));
    this.stop();
  }
}
