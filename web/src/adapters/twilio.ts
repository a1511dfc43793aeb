// Page thread: Sordino as a Twilio Voice audio processor.
//
//   await device.audio.addProcessor(new SordinoAudioProcessor());

import { SuppressedTrack, type TrackOptions } from "../sordino.js";

/** Fits AudioProcessor of @twilio/voice-sdk. */
export class SordinoAudioProcessor {
  readonly #options: TrackOptions;
  readonly #running = new Map<string, SuppressedTrack>();
  /** Twilio is changing the microphone of a muted call; it mutes the new stream itself, but only once it is sent. */
  #muted = false;

  constructor(options: TrackOptions = {}) {
    this.#options = options;
  }

  /** The suppressed track of the newest stream. */
  get suppressed(): SuppressedTrack | undefined {
    return [...this.#running.values()].at(-1);
  }

  /** The voice passes at once. Where nothing can be suppressed a copy of the stream comes back: Twilio stops it. */
  async createProcessedStream(stream: MediaStream): Promise<MediaStream> {
    const [track] = stream.getAudioTracks();
    if (track === undefined) return stream.clone();
    let suppressed: SuppressedTrack;
    if (this.#muted) track.enabled = false;
    try {
      suppressed = new SuppressedTrack(track, this.#options);
    } catch {
      return stream.clone();
    }
    const processed = new MediaStream([suppressed.track]);
    this.#running.set(processed.id, suppressed);
    return processed;
  }

  async destroyProcessedStream(stream: MediaStream): Promise<void> {
    const suppressed = this.#running.get(stream.id);
    this.#running.delete(stream.id);
    if (!suppressed) return;
    this.#muted = !suppressed.track.enabled;
    setTimeout(() => {
      this.#muted = false;
    });
    suppressed.stop();
  }
}
