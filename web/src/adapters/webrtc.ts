// Page thread: Sordino on an RTCRtpSender, for mediasoup, Daily and peer connections written by hand.
//
//   const sender = connection.getSenders().find(({ track }) => track?.kind === "audio");
//   const suppressed = await suppressSender(sender);

import { SordinoError, SuppressedTrack, type TrackOptions } from "../sordino.js";
import { WatchedSender } from "./sender.js";

/**
 * Suppression on one sender. A track of your own on the sender, or none, is left alone from then on: give it the cleaned
 * track, or call send(), to go on. Mute by `enabled` of whatever track the sender has, or by replaceTrack(null).
 */
export class SuppressedSender {
  /** Settles when the sender has been given the cleaned track, or with a value all the same when the start has failed. */
  readonly started: Promise<void>;
  readonly #sender: WatchedSender;
  readonly #options: TrackOptions;
  readonly #end = new AbortController();
  /** All cleaned tracks that there have been, for a page that gives back the one that it has taken away. */
  readonly #cleaned = new WeakSet<MediaStreamTrack>();
  #suppressed: SuppressedTrack;
  /** The track given to the sender last. */
  #put: MediaStreamTrack;

  constructor(sender: RTCRtpSender, options: TrackOptions) {
    if (!sender.track) throw new SordinoError("option", "the sender has no track; wanted one that sends audio");
    this.#options = options;
    this.#put = sender.track;
    this.#suppressed = this.#suppress(sender.track);
    this.#sender = WatchedSender.of(sender);
    this.#sender.join(this.#asked);
    this.started = this.#suppressed.started.then(() => this.#follow());
  }

  /** What works on the sender's track; another one after a microphone that has ended was replaced. */
  get suppressed(): SuppressedTrack {
    return this.#suppressed;
  }

  /**
   * Send the cleaned track, whatever the sender carries now, or the source while the context stands still and would send
   * silence. Never rejects.
   */
  async send(): Promise<void> {
    if (!this.#end.signal.aborted) await this.#replace(this.#wanted);
  }

  /**
   * Another microphone on the same sender, also after the one before has ended; muted where that was. Nothing is sent where
   * the sender is yours. rejects as SuppressedTrack throws
   */
  async replaceSource(source: MediaStreamTrack): Promise<void> {
    if (this.#end.signal.aborted) return;
    const { track } = this.suppressed;
    if (track.readyState === "live") {
      this.suppressed.replaceSource(source);
    } else {
      if (!track.enabled) source.enabled = false;
      this.#suppressed = this.#suppress(source);
    }
    await this.#follow();
  }

  /** Send the source itself again, muted where the cleaned track was, unless the sender is yours; free everything. */
  async stop(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    const { source, track } = this.suppressed;
    if (!track.enabled) source.enabled = false;
    this.#sender.leave(this.#asked, track, source);
    if (this.#isOurs && source.readyState === "live") await this.#replace(source);
    this.suppressed.stop();
  }

  #suppress(source: MediaStreamTrack): SuppressedTrack {
    const suppressed = new SuppressedTrack(source, this.#options);
    const { signal } = this.#end;
    this.#cleaned.add(suppressed.track);
    suppressed.context?.addEventListener("statechange", () => void this.#follow(), { signal });
    suppressed.addEventListener("mutechange", () => void this.#follow(), { signal });
    return suppressed;
  }

  get #isOurs(): boolean {
    const { carries } = this.#sender;
    return carries !== null && (carries === this.#put || this.#cleaned.has(carries));
  }

  /**
   * The source in the place of a track that stands still. Muted, it gives the silence that drives the last of the voice out
   * of the sender's buffers; but not where it is muted for this track only, and still live for another one.
   */
  get #wanted(): MediaStreamTrack {
    const { context, source, track } = this.suppressed;
    if (!context || context.state === "running") return track;
    return source.enabled === track.enabled ? source : track;
  }

  async #follow(): Promise<void> {
    if (!this.#end.signal.aborted && this.#isOurs) await this.#replace(this.#wanted);
  }

  /** The page replaces the track itself. To give it a cleaned one, of old even, is to go on. */
  readonly #asked = (track: MediaStreamTrack | null): MediaStreamTrack | null => {
    if (track === null || !this.#cleaned.has(track)) return track;
    if (!this.#isOurs) this.suppressed.flush();
    this.#put = this.#wanted;
    return this.#put;
  };

  /** Does nothing on a closed connection. */
  async #replace(track: MediaStreamTrack): Promise<void> {
    this.#put = track;
    if (this.#sender.carries !== track) await this.#sender.put(track).catch(() => undefined);
  }
}

/** Clean what a sender sends, without renegotiation. rejects SordinoError "option" or "unsupported" */
export async function suppressSender(sender: RTCRtpSender, options: TrackOptions = {}): Promise<SuppressedSender> {
  const suppressed = new SuppressedSender(sender, options);
  await suppressed.started;
  return suppressed;
}
