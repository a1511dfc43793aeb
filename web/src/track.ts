// Page thread: noise suppression for a MediaStreamTrack, for everything that sends tracks rather than audio nodes.

import { asSordinoError, SordinoError } from "./errors.js";
import { dispatchDetail, dispatchError, type Fallback } from "./events.js";
import { canUseFrames, FrameStream } from "./frames.js";
import { contextFor, VoiceGraph } from "./graph.js";
import { SordinoNode } from "./node.js";
import { channelCount, type SordinoOptions } from "./options.js";
import { Recovery } from "./recovery.js";
import { standFor } from "./twin.js";

export interface TrackOptions extends SordinoOptions {
  /** Use this context, of any rate, rather than a new one. It is not closed by stop(). */
  readonly context?: AudioContext | undefined;
  /**
   * "worklet" (default): an audio graph. "frames": a Worker that gets the microphone's frames of 10 ms, off the audio
   * thread and without re-blocking delay, where the browser has MediaStreamTrackProcessor; elsewhere the worklet.
   */
  readonly path?: "worklet" | "frames";
}

/**
 * A track that stands for another one, without its noise. The voice passes from the first moment: as it is until the
 * kernel is ready and while something fails, cleaned otherwise. Events: "ready", "error" and "fallback" as of SordinoNode.
 */
export class SuppressedTrack extends EventTarget {
  /** The cleaned track: give this one to the peer connection. It ends when the source ends. */
  readonly track: MediaStreamTrack;
  /** Settles when suppression has begun or, with a value all the same, when the first attempt has failed. */
  readonly started: Promise<void>;
  readonly #options: TrackOptions;
  readonly #graph: VoiceGraph | undefined;
  readonly #frames: FrameStream | undefined;
  readonly #recovery: Recovery;
  readonly #end = new AbortController();
  readonly #follow: (track: MediaStreamTrack | undefined) => void;
  #source: MediaStreamTrack;
  #node: SordinoNode | undefined;

  /** source: a live audio track. throws SordinoError "option" or "unsupported" */
  constructor(source: MediaStreamTrack, options: TrackOptions = {}) {
    super();
    if (source.kind !== "audio")
      throw new SordinoError("option", `the track is of kind "${source.kind}"; wanted "audio"`);
    const most = channelCount(options);
    this.#source = source;
    this.#options = options;
    this.#recovery = new Recovery(() => void this.#start(), options.retryMs);
    if (options.path === "frames" && canUseFrames()) {
      this.#frames = new FrameStream(source, options);
      this.track = this.#frames.track;
      this.#forward(this.#frames);
    } else {
      if (typeof AudioContext === "undefined") throw new SordinoError("unsupported", "there is no AudioContext here");
      const context = options.context ?? contextFor(source);
      this.#graph = new VoiceGraph(context, Math.min(most, source.getSettings().channelCount ?? 1));
      this.track = this.#graph.cleaned;
      this.#graph.listenTo(source);
      this.#watchContext(context);
    }
    this.#follow = standFor(
      this.track,
      () => this.#source,
      () => this.#sourceEnded(),
    );
    this.#follow(source);
    this.started = this.#frames ? this.#frames.started : this.#start();
  }

  /** What works on the track: undefined until it is ready, while its creation fails, and on the frame path. */
  get node(): SordinoNode | undefined {
    return this.#node;
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

  /** Whether the track now carries the cleaned voice. */
  get suppressing(): boolean {
    return this.#frames?.suppressing ?? this.#node?.suppressing ?? false;
  }

  /** Another microphone for the same cleaned track, for device switches. The old source is not stopped. */
  replaceSource(source: MediaStreamTrack): void {
    if (this.#end.signal.aborted) return;
    this.#graph?.listenTo(source);
    this.#frames?.listenTo(source);
    this.#source = source;
    this.#follow(source);
  }

  /** After a "fallback": try again now. */
  retry(): void {
    if (this.#end.signal.aborted) return;
    if (this.#node) this.#node.retry();
    else if (this.#graph) this.#recovery.now();
  }

  /** End the cleaned track and free everything. The source is left as it is. */
  stop(): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    this.#recovery.cancel();
    this.#follow(undefined);
    this.#graph?.close();
    this.#frames?.stop();
    this.#node = undefined;
    if (this.#graph && this.#graph.context !== this.#options.context) void this.#graph.context.close();
  }

  /** One attempt. It never rejects: what goes wrong is told, and tried again. */
  async #start(): Promise<void> {
    const graph = this.#graph!;
    try {
      const node = await SordinoNode.create(graph.context, { ...this.#options, signal: this.#end.signal });
      this.#node = node;
      this.#forward(node);
      node.addEventListener("processorerror", () => this.#lost(), { signal: this.#end.signal });
      graph.use(node);
    } catch (cause) {
      if (!this.#end.signal.aborted) this.#fallBack(asSordinoError(cause));
    }
  }

  /** The browser has silenced the node: the voice takes the direct way, and a new node is made. */
  #lost(): void {
    this.#node = undefined;
    this.#graph!.use(undefined);
    this.#recovery.plan();
  }

  #fallBack(cause: SordinoError, retryable = true): void {
    dispatchError(this, cause);
    const retryInMs = retryable ? this.#recovery.plan() : undefined;
    dispatchDetail<Fallback>(this, "fallback", { cause, retryInMs, retry: () => this.retry() });
  }

  #forward(from: EventTarget): void {
    const { signal } = this.#end;
    from.addEventListener("ready", () => this.dispatchEvent(new Event("ready")), { signal });
    from.addEventListener("error", (event) => dispatchError(this, (event as ErrorEvent).error), { signal });
    for (const type of ["fallback", "overrun"]) {
      from.addEventListener(type, (event) => dispatchDetail(this, type, (event as CustomEvent).detail), { signal });
    }
  }

  /** Without a user's gesture, after a phone call or a lost device a context may stand still; it is asked to go on. */
  #watchContext(context: AudioContext): void {
    const { signal } = this.#end;
    const resume = (): void => {
      if (context.state !== "running" && context.state !== "closed") void context.resume().catch(() => undefined);
    };
    for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, resume, { signal, passive: true });
    document.addEventListener("visibilitychange", resume, { signal });
    resume();
  }

  #sourceEnded(): void {
    const { track } = this;
    this.#fallBack(new SordinoError("source", "the track that was to be cleaned has ended"), false);
    this.stop();
    track.dispatchEvent(new Event("ended"));
  }
}

/**
 * Clean an audio track.
 *
 * track    a live audio track, e.g. of openMicrophone()
 * returns  its cleaned twin, as soon as suppression runs. Where it cannot run, the twin carries the voice unchanged, says
 *          so by "error" and "fallback", and goes on trying.
 * rejects  SordinoError "option" or "unsupported"
 */
export async function suppressTrack(track: MediaStreamTrack, options: TrackOptions = {}): Promise<SuppressedTrack> {
  const suppressed = new SuppressedTrack(track, options);
  await suppressed.started;
  return suppressed;
}
