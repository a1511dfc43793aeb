// Page thread: Sordino as a Jitsi stream effect.
//
//   await localAudioTrack.setEffect(new SordinoEffect());

import { SuppressedTrack, type TrackOptions } from "../sordino.js";

/**
 * Fits Jitsi's IStreamEffect. startEffect answers at once: the voice passes as it is until the kernel is ready. Switched on
 * and off, the track stays muted where it was.
 */
export class SordinoEffect {
  readonly #options: TrackOptions;
  #suppressed: SuppressedTrack | undefined;

  constructor(options: TrackOptions = {}) {
    this.#options = options;
  }

  get suppressed(): SuppressedTrack | undefined {
    return this.#suppressed;
  }

  /** track: a JitsiLocalTrack */
  isEnabled(track: { isAudioTrack(): boolean }): boolean {
    return track.isAudioTrack();
  }

  /** Where nothing can be suppressed the stream itself comes back. */
  startEffect(stream: MediaStream): MediaStream {
    this.stopEffect();
    const [track] = stream.getAudioTracks();
    if (track === undefined) return stream;
    try {
      this.#suppressed = new SuppressedTrack(track, this.#options);
    } catch {
      return stream;
    }
    return new MediaStream([this.#suppressed.track]);
  }

  stopEffect(): void {
    this.#suppressed?.stop();
    this.#suppressed = undefined;
  }
}
