// Page thread: the frame path. A Worker gets the microphone's frames of 10 ms and gives cleaned ones back.

import { asSordinoError, SordinoError } from "./errors.js";
import { dispatchDetail, dispatchError, type Fallback } from "./events.js";
import { chooseEngine, fetchEngine } from "./load.js";
import type { FrameRequest, Readout, Reply, Settings } from "./messages.js";
import { channelCount, initialSettings, type SordinoOptions } from "./options.js";
import { Recovery } from "./recovery.js";
import { assetsFor } from "./start.js";

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
export class FrameStream extends EventTarget {
  readonly track: MediaStreamTrack;
  /** Settles when suppression has begun or the first attempt has failed. */
  readonly started: Promise<void>;
  readonly #options: SordinoOptions;
  readonly #worker: Worker;
  readonly #recovery: Recovery;
  readonly #end = new AbortController();
  readonly #writable: WritableStream;
  #settings: Settings;
  #running = false;
  #latencySamples = 0;
  #settle: (() => void) | undefined;
  #waiting: ((readout: Readout) => void)[] = [];
  #source: MediaStreamTrack;
  #loaded = false;
  #sent = false;

  /** throws SordinoError "option" or "unsupported" */
  constructor(source: MediaStreamTrack, options: SordinoOptions) {
    super();
    if (!canUseFrames()) throw new SordinoError("unsupported", "there is no MediaStreamTrackProcessor here");
    this.#source = source;
    this.#options = options;
    this.#settings = initialSettings(options);
    const engine = chooseEngine(options.engine ?? "auto");
    const assets = assetsFor(engine, options.model ?? "standard", options);
    const generator = new breakout.MediaStreamTrackGenerator!({ kind: "audio" });
    this.track = generator;
    this.#writable = generator.writable;
    this.#recovery = new Recovery(() => void this.#install(), options.retryMs);
    this.#worker = options.assets?.worker || options.assets?.base ? new Worker(assets.worker) : defaultWorker();
    this.#worker.onmessage = (event: MessageEvent<Reply | { type: "loaded" }>) => this.#hear(event.data);
    this.#worker.onerror = () => this.#workerLost();
    this.started = new Promise((settle) => {
      this.#settle = settle;
    });
    void this.#install();
  }

  get suppressing(): boolean {
    return this.#running;
  }

  /** Delay between input and output in samples of the source: the kernel's alone. */
  get latencySamples(): number {
    return this.#latencySamples;
  }

  /** Change settings while it runs. throws SordinoError "option" */
  update(changes: Pick<SordinoOptions, "bypass" | "preset" | "postFilter" | "attenuationLimitDb">): void {
    this.#settings = initialSettings(changes);
    this.#send({ type: "settings", settings: this.#settings });
  }

  read(): Promise<Readout> {
    this.#send({ type: "read" });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Take the voice from another track. */
  listenTo(source: MediaStreamTrack): void {
    this.#source = source;
    if (!this.#loaded) return;
    const { readable } = new breakout.MediaStreamTrackProcessor!({ track: source });
    const writable = this.#sent ? undefined : this.#writable;
    this.#sent = true;
    this.#send({ type: "source", readable, writable }, writable ? [readable, writable] : [readable]);
  }

  stop(): void {
    this.#end.abort();
    this.#recovery.cancel();
    this.#worker.terminate();
    this.track.stop();
    this.#settle?.();
  }

  #send(request: FrameRequest, transfer: Transferable[] = []): void {
    if (!this.#end.signal.aborted) this.#worker.postMessage(request, transfer);
  }

  /** Fetch the files and hand them over. It never rejects. */
  async #install(): Promise<void> {
    try {
      const options = this.#options;
      const engine = chooseEngine(options.engine ?? "auto");
      const files = await fetchEngine(assetsFor(engine, options.model ?? "standard", options), this.#end.signal);
      const shape = { channels: channelCount(options), linked: options.linked ?? true };
      const startup = { ...files, ...shape, settings: this.#settings, realTime: options.overrunPolicy !== "ignore" };
      this.#send({ type: "start", startup });
    } catch (cause) {
      if (!this.#end.signal.aborted) this.#fallBack(asSordinoError(cause));
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
        this.#running = true;
        this.#settle?.();
        this.dispatchEvent(new Event("ready"));
        break;
      case "readout":
        for (const tell of this.#waiting.splice(0)) tell(reply.readout);
        break;
      case "voice":
        dispatchDetail(this, "voice", { probability: reply.probability });
        break;
      case "overrun":
        dispatchDetail(this, "overrun", { overruns: reply.overruns, action: reply.stopped ? "bypass" : "none" });
        if (reply.stopped) this.#fallBack(new SordinoError("overrun", "the kernel was too slow for too long"));
        break;
      case "failure":
        this.#fallBack(new SordinoError(reply.failure.code, reply.failure.message));
        break;
    }
  }

  #fallBack(cause: SordinoError): void {
    this.#running = false;
    this.#settle?.();
    dispatchError(this, cause);
    const retryInMs = this.#recovery.plan();
    dispatchDetail<Fallback>(this, "fallback", { cause, retryInMs, retry: () => this.#recovery.now() });
  }

  /** The script did not load: the page itself carries the voice from the source to the track. */
  #workerLost(): void {
    if (!this.#sent) {
      this.#sent = true;
      const { readable } = new breakout.MediaStreamTrackProcessor!({ track: this.#source });
      void readable.pipeTo(this.#writable).catch(() => undefined);
    }
    this.#recovery.cancel();
    this.#running = false;
    this.#settle?.();
    const cause = new SordinoError("worklet", "the browser refused the Worker's script");
    dispatchError(this, cause);
    dispatchDetail<Fallback>(this, "fallback", { cause, retryInMs: undefined, retry: () => undefined });
  }
}

/** The literal stands in new Worker(new URL(...)) so that bundlers find it. */
function defaultWorker(): Worker {
  return new Worker(new URL("./sordino.worker.js", import.meta.url));
}
