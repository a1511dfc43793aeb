// Page thread: SuppressedTrack, noise suppression for a MediaStreamTrack, by an audio graph or by the frame path.

import type { CustomModel, ModelName } from "../assets/catalogue.js";
import { dispatchFallback, forwardEvents, TrackTarget, type Voice } from "../contract/events.js";
import { type Changes, checkWord, initialSettings, type SordinoOptions, streamShape } from "../contract/options.js";
import type { StreamState } from "../contract/states.js";
import { canUseFrames } from "../frames/breakout-box.js";
import { canListen, contextFor, VoiceGraph } from "../graph/voice-graph.js";
import { NodeFactory, whileStarting } from "../lifecycle/node-factory.js";
import { checkOptions } from "../lifecycle/prepare.js";
import { StateNotifier } from "../lifecycle/state-monitor.js";
import { aborted, SordinoError } from "../protocol/errors.js";
import { TrackProxies } from "../tracks/track-proxy.js";
import { FrameStream } from "./frame-stream.js";
import { SordinoNode } from "./node.js";

export interface TrackOptions extends SordinoOptions {
  /**
   * Use this context, of any rate, rather than a new one; stop() does not close it. Where the browser cannot play the
   * track in it, for Firefox converts no rates, a new one is made all the same.
   */
  readonly context?: AudioContext | undefined;
  /**
   * "worklet" (default): an audio graph. "frames": a Worker that gets the microphone's frames of 10 ms, off the audio
   * thread and without re-blocking delay, where the browser has MediaStreamTrackProcessor; elsewhere the worklet.
   */
  readonly path?: "worklet" | "frames";
}

/** User gestures after which browsers let an AudioContext start. */
const GESTURES = ["pointerdown", "pointerup", "keydown"];

/** A processor that has not yet ended when its context closes holds its node for good, some kB, so it is given time. */
const CLOSE_MS = 100;

/** Options of those that do the work of another one, whose track is the page's: the mute is the business of that one. */
const hidden = new WeakSet<TrackOptions>();

/** throws SordinoError "option" or "source" */
function checkSource({ kind, readyState }: MediaStreamTrack): void {
  if (kind !== "audio") throw new SordinoError("option", `the track is of kind "${kind}"; wanted "audio"`);
  if (readyState !== "live") throw new SordinoError("source", "the track that is to be cleaned has ended");
}

/** Resume the context. Never rejects: if it fails, a later gesture may succeed. */
async function resume(context: AudioContext): Promise<void> {
  if (context.state === "running" || context.state === "closed") return;
  await context.resume().catch(() => undefined);
}

/**
 * A track that replaces another one, without its noise. Audio passes from the start: unchanged until the kernel is ready
 * and during failures, cleaned otherwise. Events as of SordinoNode.
 */
export class SuppressedTrack extends TrackTarget {
  /**
   * The cleaned track: give this one to the peer connection. It ends when the source ends, within a second where that is
   * by stop(). Its own stop() frees everything, unless clones of it live. It shares `enabled` with the source.
   */
  readonly track: MediaStreamTrack;
  /** Settles when suppression has begun or, with a value all the same, when the first attempt has failed. */
  readonly started: Promise<void>;
  readonly #given: AudioContext | undefined;
  readonly #graph: VoiceGraph | undefined;
  readonly #frames: FrameStream | undefined;
  /** On the worklet path. */
  readonly #factory: NodeFactory<SordinoNode> | undefined;
  readonly #end = new AbortController();
  readonly #proxies: TrackProxies;
  readonly #states = new StateNotifier(this, () => this.state);
  #options: TrackOptions;
  #source: MediaStreamTrack;

  /** source: a live audio track. throws SordinoError "option", "source", "unsupported" or "aborted" */
  constructor(source: MediaStreamTrack, options: TrackOptions = {}) {
    super();
    checkSource(source);
    checkOptions(options);
    checkWord("path", options.path, ["worklet", "frames"]);
    if (options.signal?.aborted) throw aborted(options.signal);
    this.#source = source;
    this.#options = options;
    this.#given = options.context;
    if (options.path === "frames" && canUseFrames()) {
      const worklet = { ...options, path: "worklet" } as const;
      hidden.add(worklet);
      this.#frames = new FrameStream(source, options, (track) => new SuppressedTrack(track, worklet));
      this.track = this.#frames.track;
      forwardEvents(this.#frames, this, this.#end.signal);
      this.#frames.addEventListener("state", this.#states.update);
    } else {
      const context = this.#given && canListen(this.#given, source) ? this.#given : contextFor(source);
      const channels = Math.min(streamShape(options).channels, source.getSettings().channelCount ?? 1);
      this.#graph = new VoiceGraph(context, channels);
      this.track = this.#graph.cleaned;
      this.#graph.listenTo(source);
      this.#factory = this.#prepare(this.#graph);
      this.#watchContext(context);
    }
    this.#proxies = new TrackProxies(this.track, {
      source: () => this.#source,
      delayMs: () => 1000 * this.latency.seconds,
      nowMs: () => (this.context ? 1000 * this.context.currentTime : performance.now()),
      ended: () => this.#sourceEnded(),
      stopped: () => this.stop(),
      muteChanged: () => this.#muteChanged(),
      sharesMute: !hidden.has(options),
    });
    this.#proxies.follow(source);
    for (const type of ["mute", "unmute"]) this.track.addEventListener(type, this.#states.update);
    this.addEventListener("fallback", this.#states.update);
    this.started = this.#factory ? this.#factory.begin() : this.#frames!.started;
    whileStarting(this.started, options.signal, () => this.stop());
  }

  /** What works on the track: undefined until it is ready, while its creation fails, and on the frame path. */
  get node(): SordinoNode | undefined {
    return this.#factory?.node;
  }

  /** The frame path's stream, where that path is taken. */
  get frames(): FrameStream | undefined {
    return this.#frames;
  }

  /** The context of the worklet path. */
  get context(): AudioContext | undefined {
    return this.#graph?.context;
  }

  get source(): MediaStreamTrack {
    return this.#source;
  }

  /** What the track does now; "state" events tell of changes. */
  get state(): StreamState {
    if (this.#end.signal.aborted || this.context?.state === "closed") return "ended";
    const without = this.#factory?.underWay ? "starting" : "fallback";
    const state = this.#frames?.state ?? this.node?.state ?? without;
    if (this.context && this.context.state !== "running") return "suspended";
    return this.#source.muted && !["fallback", "suspended", "stalled"].includes(state) ? "muted" : state;
  }

  /** Whether the track now carries the cleaned voice. */
  get suppressing(): boolean {
    return this.#frames?.suppressing ?? this.node?.suppressing ?? false;
  }

  /** Delay between source and track in the audio graph or the Worker; 0 while the signal is not processed. */
  get latency(): { readonly samples: number; readonly seconds: number } {
    return this.#frames?.latency ?? this.node?.latency ?? { samples: 0, seconds: 0 };
  }

  /** Probability, 0 to 1, of a voice: in the last hop while "voice" is listened to, else as of the last read-out. */
  get voice(): number {
    return this.#frames?.voice ?? this.node?.voice ?? 0;
  }

  /**
   * Change the model: it warms up unheard, then fades in. Asked more than once, one after the other; the last one stays,
   * and holds for whatever comes after a failure. Rejects with SordinoError; the old one then runs on.
   */
  async setModel(model: ModelName | CustomModel): Promise<void> {
    const { signal } = this.#end;
    checkOptions({ ...this.#options, model });
    await this.#factory?.underWay;
    if (signal.aborted) throw new SordinoError("aborted", "the cleaned track has ended");
    await (this.#frames ?? this.node)?.setModel(model);
    this.#options = { ...this.#options, model };
  }

  /** Change settings; they also hold for whatever comes after a failure. throws SordinoError "option" */
  update(changes: Changes): void {
    const { postFilter: _, attenuationLimitDb: __, ...rest } = this.#options;
    const options = { ...(changes.preset === undefined ? this.#options : rest), ...changes };
    initialSettings(options);
    this.#options = options;
    this.node?.update(changes);
    this.#frames?.update(changes);
  }

  /**
   * Another microphone for the same cleaned track, for device switches. The old source is not stopped; stop it afterwards.
   * Where the cleaned track is muted the new one is too.
   *
   * throws  SordinoError "option", "source" or, where the browser does not convert its rate, "sample-rate"; the old source
   *         is then still heard. "source" too once the cleaned track has ended, with its source or by stop().
   */
  replaceSource(source: MediaStreamTrack): void {
    if (this.#end.signal.aborted) throw new SordinoError("source", "the cleaned track has ended; clean a track anew");
    checkSource(source);
    this.#graph?.listenTo(source);
    this.#frames?.listenTo(source);
    this.#source = source;
    this.#proxies.follow(source);
  }

  /** Drop audio that is still delayed: call as you unmute, if you mute by other means than `enabled`. */
  flush(): void {
    this.#proxies.hold();
  }

  /** After a "fallback": retry now, or join the pending attempt. */
  retry(): void {
    if (this.#end.signal.aborted) return;
    if (this.#graph) void resume(this.#graph.context);
    (this.#factory ?? this.#frames!).retry();
  }

  /** End the cleaned track and its clones, and free everything. The source lives on, muted where the track was. */
  stop(): void {
    this.#stop(false);
  }

  #stop(byItself: boolean): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    this.#factory?.end();
    this.#proxies.end(byItself);
    this.#graph?.close();
    this.#frames?.stop();
    this.#states.update();
    const { context } = this;
    if (!context || context === this.#given) return;
    const close = (): void => void context.close().catch(() => undefined);
    if (byItself) setTimeout(close, CLOSE_MS);
    else close();
  }

  protected override tellVoice(wanted: boolean): void {
    for (const from of [this.node, this.#frames] as (EventTarget | undefined)[]) {
      if (wanted) from?.addEventListener("voice", this.#passVoice);
      else from?.removeEventListener("voice", this.#passVoice);
    }
  }

  #prepare(graph: VoiceGraph): NodeFactory<SordinoNode> {
    let asked = this.#options;
    const create = (signal: AbortSignal): Promise<SordinoNode> => {
      asked = this.#options;
      return SordinoNode.create(graph.context, { ...asked, signal });
    };
    const use = (node: SordinoNode | undefined): void => {
      if (this.#options !== asked) node?.update(this.#options);
      this.tellVoice(this.voiceListeners.any);
      graph.use(node);
      node?.addEventListener("state", this.#states.update);
      this.#states.update();
    };
    return new NodeFactory(this, create, use, this.#options.retryMs);
  }

  readonly #passVoice = (event: Event): void => this.dispatchVoice((event as CustomEvent<Voice>).detail.probability);

  /** Resume a context that is suspended: without a user gesture, after a phone call or a lost device. */
  #watchContext(context: AudioContext): void {
    const { signal } = this.#end;
    const go = (): void => void resume(context);
    for (const gesture of GESTURES) addEventListener(gesture, go, { signal, passive: true, capture: true });
    document.addEventListener("visibilitychange", go, { signal });
    navigator.mediaDevices?.addEventListener("devicechange", go, { signal });
    context.addEventListener("statechange", this.#states.update, { signal });
    go();
  }

  #muteChanged(): void {
    if (this.track.enabled) {
      if (this.#graph) void resume(this.#graph.context);
      else this.#frames?.retry();
    }
    this.dispatchEvent(new Event("mutechange"));
  }

  #sourceEnded(): void {
    const cause = new SordinoError("source", "the track that was to be cleaned has ended");
    dispatchFallback(this, { cause, retryInMs: undefined, retry: () => this.retry() });
    this.#stop(true);
  }
}

/**
 * Clean an audio track.
 *
 * track    a live audio track, e.g. of openMicrophone()
 * returns  the cleaned track, as soon as suppression runs. Where it cannot run, the track carries the input unchanged,
 *          emits "error" and "fallback", and retries unless the cause is permanent.
 * rejects  SordinoError "option", "source", "unsupported" or, when the signal fires before that, "aborted"
 */
export async function suppressTrack(track: MediaStreamTrack, options: TrackOptions = {}): Promise<SuppressedTrack> {
  const suppressed = new SuppressedTrack(track, options);
  await suppressed.started;
  const { signal } = options;
  if (signal?.aborted && suppressed.track.readyState === "ended") throw aborted(signal);
  return suppressed;
}
