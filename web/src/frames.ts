// Page thread: the frame path. A Worker gets the microphone's frames of 10 ms and gives cleaned ones back.

import { Carrier } from "./carry.js";
import type { CustomModel, Model, ModelName } from "./catalogue.js";
import { briefly, SordinoError } from "./errors.js";
import { dispatchDetail, passOn, type TrackEventMap, TrackTarget, type Voice } from "./events.js";
import { chooseEngine, fetchEngine, locate } from "./load.js";
import type { EngineFiles, FrameReply, FrameRequest, Readout, Settings } from "./messages.js";
import { type Changes, changedSettings, initialSettings, type SordinoOptions, streamShape } from "./options.js";
import { SAMPLE_RATE } from "./params.js";
import { lookAt } from "./received.js";
import { keepFlowing } from "./remote.js";
import { checkOptions } from "./start.js";
import { StateWatch } from "./state.js";
import type { StreamState } from "./states.js";
import { modelOf } from "./tiers.js";
import { Upkeep } from "./upkeep.js";
import { Outcomes, Readouts } from "./waiting.js";

interface TrackProcessor {
  readonly readable: ReadableStream;
}
type TrackGenerator = MediaStreamTrack & { readonly writable: WritableStream };

/** Not in every browser, hence not in the standard types. */
interface Breakout {
  readonly MediaStreamTrackProcessor?: new (init: { track: MediaStreamTrack; maxBufferSize: number }) => TrackProcessor;
  readonly MediaStreamTrackGenerator?: new (init: { kind: "audio" }) => TrackGenerator;
}

const breakout = globalThis as Breakout;
const TIMEOUT_MS = 10_000;
/** Of a source whose frames are very short a browser drops some where it holds only few for the Worker. */
const WAITING_FRAMES = 50;
/** So many quarters of a second without an answer, and a Worker that has once answered counts as dead. */
const DEAD_TICKS = 40;

/** What takes over where there is no Worker: the same track by another way, such as a SuppressedTrack. */
export interface StandIn extends EventTarget {
  readonly track: MediaStreamTrack;
  readonly started: Promise<void>;
  readonly state: StreamState;
  readonly suppressing: boolean;
  readonly latency: { readonly samples: number; readonly seconds: number };
  readonly voice: number;
  readonly node: { readonly model: string; reset(): void; read(): Promise<Readout> } | undefined;
  update(changes: Changes): void;
  setModel(model: ModelName | CustomModel): Promise<void>;
  replaceSource(source: MediaStreamTrack): void;
  retry(): void;
  stop(): void;
}

function framesOf(track: MediaStreamTrack): ReadableStream {
  return new breakout.MediaStreamTrackProcessor!({ track, maxBufferSize: WAITING_FRAMES }).readable;
}

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
  /** Where there is no Worker the page itself carries the voice. */
  readonly #carrier: Carrier;
  readonly #watch: StateWatch;
  readonly #instead: ((source: MediaStreamTrack) => StandIn) | undefined;
  #standIn: StandIn | undefined;
  #changes: Changes = {};
  #release: () => void;

  /**
   * instead  makes what takes over where the Worker cannot work; without it the voice then passes unchanged
   * throws   SordinoError "option" or "unsupported"
   */
  constructor(source: MediaStreamTrack, options: SordinoOptions, instead?: (source: MediaStreamTrack) => StandIn) {
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
    this.#carrier = new Carrier(this.#writable, framesOf);
    this.#instead = instead;
    this.#release = keepFlowing(source);
    const load = (model: Model): Promise<EngineFiles> => fetchEngine(locate(engine, model, options), this.#end.signal);
    this.#upkeep = new Upkeep(this, options, load, (model, files) => this.#run(model, files));
    let settle = (): void => undefined;
    this.started = new Promise((resolve) => {
      settle = resolve;
    });
    this.#settle = settle;
    const facts = () => ({
      ended: this.#end.signal.aborted,
      suspended: false,
      bypass: this.#settings.bypass,
      runs: this.#upkeep.runs,
    });
    this.#watch = new StateWatch(this, facts, true, { late: (ticks) => this.#late(ticks) });
    this.addEventListener("fallback", () => this.#standIn || settle());
    this.#employ(options.assets?.worker || options.assets?.base ? worker : undefined, worker);
    void this.#upkeep.attempt();
  }

  /** What the stream does now; "state" events tell of changes. */
  get state(): StreamState {
    return this.#standIn?.state ?? this.#watch.state;
  }

  /** Whether noise is being removed: what came out within the last second was processed by the kernel. */
  get suppressing(): boolean {
    return this.#standIn?.suppressing ?? this.#watch.suppressing;
  }

  /** The name of the model that runs. */
  get model(): string {
    return this.#standIn?.node?.model ?? this.#upkeep.model;
  }

  /** Delay between input and output in samples of the source: the kernel's alone; 0 while frames pass by no kernel. */
  get latencySamples(): number {
    return this.latency.samples;
  }

  /** The same, with its length. */
  get latency(): { readonly samples: number; readonly seconds: number } {
    if (this.#standIn) return this.#standIn.latency;
    return { samples: this.#latencySamples, seconds: this.#latencySamples / this.#rate };
  }

  /** Probability, 0 to 1, of a voice: in the last hop while "voice" is listened to, else as of the last read-out. */
  get voice(): number {
    return this.#standIn?.voice ?? (this.#upkeep.suppressing ? this.#voice : 0);
  }

  /** Change settings while it runs. throws SordinoError "option" */
  update(changes: Changes): void {
    this.#settings = changedSettings(this.#settings, changes);
    this.#changes = { ...this.#changes, ...changes };
    this.#standIn?.update(changes);
    this.#send({ type: "settings", settings: this.#settings });
    this.#watch.update();
  }

  /**
   * Change the model: it warms up unheard, then fades in. Asked more than once, one after the other; the last one stays.
   * Rejects with SordinoError; the old one then runs on.
   */
  async setModel(model: ModelName | CustomModel): Promise<void> {
    await this.started;
    await (this.#standIn ? this.#standIn.setModel(model) : this.#upkeep.change(model));
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
    this.#standIn?.node?.reset();
    this.#send({ type: "reset" });
  }

  /** As of SordinoNode.read(); before the stream is ready it waits for that. */
  read(): Promise<Readout> {
    return this.#standIn?.node?.read() ?? this.#readouts.read();
  }

  /** After a "fallback": try again now. */
  retry(): void {
    (this.#standIn ?? this.#upkeep).retry();
  }

  /** Take the voice from another track. */
  listenTo(source: MediaStreamTrack): void {
    this.#source = source;
    this.#release();
    this.#release = keepFlowing(source);
    if (this.#standIn) this.#standIn.replaceSource(source);
    else this.#lead(source);
  }

  /** Let the frames of a track, the source or what stands in for it, go the only way there is. */
  #lead(track: MediaStreamTrack): void {
    if (!this.#worker) this.#carrier.carry(track);
    if (!this.#worker || !this.#loaded) return;
    const readable = framesOf(track);
    const writable = this.#sent ? undefined : this.#writable;
    this.#sent = true;
    this.#send({ type: "source", readable, writable }, writable ? [readable, writable] : [readable]);
  }

  stop(): void {
    const reason = new SordinoError("aborted", "the stream was stopped");
    this.#end.abort(reason);
    this.#upkeep.end();
    this.#carrier.stop();
    this.#standIn?.stop();
    this.#release();
    this.#worker?.terminate();
    this.#watch.update();
    this.track.stop();
    this.#readouts.close(reason);
    this.#settle();
  }

  protected override tellVoice(on: boolean): void {
    if (on) this.#standIn?.addEventListener("voice", this.#passVoice);
    else this.#standIn?.removeEventListener("voice", this.#passVoice);
    this.#send({ type: "voice", on });
  }

  #send(request: FrameRequest, transfer: Transferable[] = []): void {
    if (!this.#end.signal.aborted) this.#worker?.postMessage(request, transfer);
  }

  readonly #passVoice = (event: Event): void => this.dispatchVoice((event as CustomEvent<Voice>).detail.probability);

  /** Start the Worker. script: where it is not beside the package's own; address: where it is in any case */
  #employ(script: URL | undefined, address: URL): void {
    const { signal } = this.#end;
    const violations: string[] = [];
    const note = ({ effectiveDirective }: SecurityPolicyViolationEvent): void =>
      void violations.push(effectiveDirective);
    document.addEventListener("securitypolicyviolation", note, { signal });
    const refuse = (cause?: unknown): void => {
      // The browser tells of violations in a task of their own.
      setTimeout(async () => this.#refused(await refusal(address, cause, violations[0])));
    };
    try {
      const worker = script ? new Worker(script) : defaultWorker();
      worker.onmessage = (event: MessageEvent<FrameReply>) => this.#hear(event.data);
      worker.onerror = ({ message }) => {
        if (this.#loaded) this.#workerFailed(new SordinoError("runtime", `the Worker failed: ${message}`));
        else refuse(message || undefined);
      };
      this.#worker = worker;
      const timeoutMs = this.#options.timeoutMs ?? TIMEOUT_MS;
      const late = setTimeout(() => this.#loaded || refuse(`no answer within ${timeoutMs} ms`), timeoutMs);
      signal.addEventListener("abort", () => clearTimeout(late));
    } catch (cause) {
      refuse(cause);
    }
  }

  #hear(reply: FrameReply): void {
    switch (reply.type) {
      case "loaded":
        this.#loaded = true;
        this.#lead(this.#source);
        break;
      case "pulse":
        this.#watch.note(reply);
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
        this.#watch.begin();
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
        if (error.code === "wasm" && this.#instead && !this.#upkeep.suppressing) this.#takeOver(error);
        else if (!this.#outcomes.settle(reply.id, error)) this.#upkeep.failed(error);
        break;
      }
    }
  }

  /** What was asked of it will not be answered. */
  #workerFailed(cause: SordinoError): void {
    if (!this.#outcomes.settleAll(cause)) this.#upkeep.failed(cause);
  }

  /** There is no Worker: the page itself carries the voice to the track. */
  #refused(cause: SordinoError): void {
    if (this.#end.signal.aborted || this.#standIn || this.#loaded) return;
    this.#worker?.terminate();
    this.#worker = undefined;
    if (!this.#instead) this.#lead(this.#source);
    this.#takeOver(cause);
  }

  /** The kernel will not run in a Worker: what there is instead does the work from now on. */
  #takeOver(cause: SordinoError): void {
    const standIn = this.#instead?.(this.#source);
    this.#standIn = standIn;
    this.#upkeep.end(cause);
    this.#outcomes.close(cause);
    this.#readouts.close(cause);
    if (standIn === undefined) return;
    this.#watch.stop();
    const { signal } = this.#end;
    passOn(standIn, this, signal);
    const tell = ({ detail }: TrackEventMap["state"]): void => dispatchDetail(this, "state", detail);
    standIn.addEventListener("state", tell as (event: Event) => void, { signal });
    standIn.update(this.#changes);
    this.tellVoice(this.voiceListeners.any);
    this.#lead(standIn.track);
    void standIn.started.then(this.#settle);
  }

  /** A Worker that has died takes the track with it, for what feeds that was its own. */
  #late(ticks: number): void {
    if (ticks !== DEAD_TICKS || !this.#sent) return;
    this.#upkeep.end(new SordinoError("worklet", "the Worker no longer answers; the cleaned track has ended"));
    this.track.stop();
    this.track.dispatchEvent(new Event("ended"));
    this.stop();
  }
}

/** Why there is no Worker, as far as the browser says. */
async function refusal(script: URL, cause: unknown, directive: string | undefined): Promise<SordinoError> {
  const known = directive ? `the policy's ${directive} forbids it` : cause && briefly(cause);
  const reason = known ?? (await lookAt("script", script)) ?? "it did not load";
  return new SordinoError("worklet", `the browser refused the Worker's script ${briefly(script)}: ${reason}`, cause);
}

/** The literal stands in new Worker(new URL(...)) so that bundlers find it. */
function defaultWorker(): Worker {
  return new Worker(new URL("./sordino.worker.js", import.meta.url));
}
