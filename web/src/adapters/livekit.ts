// Page thread: Sordino as a LiveKit audio processor.
//
//   await localAudioTrack.setProcessor(new SordinoProcessor());

import { SuppressedTrack, type TrackOptions } from "../sordino.js";

/** What LiveKit hands over. Older versions call `restart` without an audioContext. */
export interface LiveKitOptions {
  readonly track: MediaStreamTrack;
  readonly audioContext?: AudioContext | undefined;
}

/**
 * Fits LiveKit's TrackProcessor<Track.Kind.Audio, AudioProcessorOptions>. One processor serves one track at a time.
 * Events: those of SuppressedTrack, on `suppressed`.
 */
export class SordinoProcessor {
  readonly name = "sordino";
  processedTrack?: MediaStreamTrack;
  readonly #options: TrackOptions;
  #suppressed: SuppressedTrack | undefined;
  /** The context that LiveKit passed last. */
  #context: AudioContext | undefined;

  constructor(options: TrackOptions = {}) {
    this.#options = options;
  }

  /** The suppressed track; undefined before init and after destroy. */
  get suppressed(): SuppressedTrack | undefined {
    return this.#suppressed;
  }

  /**
   * The voice passes at once, cleaned as soon as the kernel is ready, and muted where the track is. LiveKit holds the track locked meanwhile, so this
   * does not wait for files; `suppressed.started` says when suppression has begun. Of a microphone that LiveKit has stopped,
   * to mute it, there is nothing to process until it is opened again.
   */
  async init({ track, audioContext }: LiveKitOptions): Promise<void> {
    this.#context = audioContext;
    const before = this.#suppressed;
    if (before && !before.track.enabled) track.enabled = false;
    if (track.readyState === "ended") {
      this.#release();
      return;
    }
    this.#suppressed = new SuppressedTrack(track, { ...this.#options, context: this.#options.context ?? audioContext });
    this.processedTrack = this.#suppressed.track;
    before?.stop();
  }

  /**
   * Another microphone, or the same one opened again: the processed track stays. Another context, which LiveKit names
   * before it closes the old one, or a microphone that the old one cannot play: there is a new processed track. All of
   * them are muted where the one before was.
   */
  async restart({ track, audioContext = this.#context }: LiveKitOptions): Promise<void> {
    if (audioContext !== this.#context || !this.#listenTo(track)) await this.init({ track, audioContext });
  }

  async destroy(): Promise<void> {
    this.#release();
  }

  /** Replace the source of the running stream. Returns whether that worked. */
  #listenTo(track: MediaStreamTrack): boolean {
    const { suppressed } = this;
    if (suppressed?.track.readyState !== "live" || suppressed.context?.state === "closed") return false;
    try {
      suppressed.replaceSource(track);
      return true;
    } catch {
      return false;
    }
  }

  #release(): void {
    this.#suppressed?.stop();
    this.#suppressed = undefined;
    delete this.processedTrack;
  }
}
