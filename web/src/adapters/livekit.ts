// Page thread: Sordino as a LiveKit audio processor.
//
//   await localAudioTrack.setProcessor(new SordinoProcessor());

import { SuppressedTrack, type TrackOptions } from "../sordino.js";

/** What LiveKit hands over. `restart` comes without an audioContext. */
export interface LiveKitOptions {
  readonly track: MediaStreamTrack;
  readonly audioContext?: AudioContext;
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

  constructor(options: TrackOptions = {}) {
    this.#options = options;
  }

  /** What works on the track; undefined before init and after destroy. */
  get suppressed(): SuppressedTrack | undefined {
    return this.#suppressed;
  }

  /**
   * The voice passes at once, cleaned as soon as the kernel is ready. LiveKit holds the track locked meanwhile, so this
   * does not wait for files; `suppressed.started` says when suppression has begun.
   */
  async init(options: LiveKitOptions): Promise<void> {
    this.#release();
    const context = this.#options.context ?? options.audioContext;
    this.#suppressed = new SuppressedTrack(options.track, { ...this.#options, context });
    this.processedTrack = this.#suppressed.track;
  }

  /** Another microphone, or the same one opened again: the processed track stays, so nothing has to be renegotiated. */
  async restart(options: LiveKitOptions): Promise<void> {
    if (this.#suppressed && this.#suppressed.track.readyState === "live") this.#suppressed.replaceSource(options.track);
    else await this.init(options);
  }

  async destroy(): Promise<void> {
    this.#release();
  }

  #release(): void {
    this.#suppressed?.stop();
    this.#suppressed = undefined;
    delete this.processedTrack;
  }
}
