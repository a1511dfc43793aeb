// Page thread: Sordino on an RTCRtpSender, for mediasoup, Daily and peer connections written by hand.
//
//   const sender = connection.getSenders().find(({ track }) => track?.kind === "audio");
//   const suppressed = await suppressSender(sender);

import { SordinoError, SuppressedTrack, type TrackOptions } from "../sordino.js";
import { type Guest, WatchedSender } from "./sender.js";

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
    this.#sender.join(this.#guest);
    this.started = this.#suppressed.started.then(() => this.#follow());
  }

  /** What works on the sender's track; another one after a microphone that has ended was replaced, or a Worker has died. */
  get suppressed(): SuppressedTrack {
    return this.#suppressed;
  }

  /**
   * Send the cleaned track, whatever the sender carries now, or the source while that one would send silence: its context
   * stands still, or what computes it. Never rejects.
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
    this.#sender.leave(this.#guest, track, source);
    if (this.#isOurs && source.readyState === "live") await this.#replace(source);
    this.#sender.passOn(track, source);
    this.suppressed.stop();
  }

  #suppress(source: MediaStreamTrack, options = this.#options): SuppressedTrack {
    const suppressed = new SuppressedTrack(source, options);
    const { signal } = this.#end;
    this.#cleaned.add(suppressed.track);
    suppressed.context?.addEventListener("statechange", () => void this.#follow(), { signal });
    for (const type of ["mutechange", "state"])
      suppressed.addEventListener(type, () => void this.#follow(), { signal });
    suppressed.track.addEventListener("ended", () => this.#ended(suppressed), { signal });
    return suppressed;
  }

  /** Not by the page, which hears no "ended" of its own stop(). Where the source lives on, the Worker has died. */
  #ended({ source, track }: SuppressedTrack): void {
    if (source.readyState !== "live" || track !== this.suppressed.track) return;
    if (!track.enabled) source.enabled = false;
    this.#suppressed = this.#suppress(source, { ...this.#options, path: "worklet" });
    void this.#follow();
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
    const { context, source, state, track } = this.suppressed;
    const standsStill = (context && context.state !== "running") || state === "stalled";
    return standsStill && source.enabled === track.enabled ? source : track;
  }

  async #follow(): Promise<void> {
    if (!this.#end.signal.aborted && this.#isOurs) await this.#replace(this.#wanted);
  }

  readonly #guest: Guest = {
    /** The page replaces the track itself. To give it a cleaned one, of old even, or what was sent last, is to go on. */
    asked: (track) => {
      if (track === null || !(this.#cleaned.has(track) || track === this.#put)) return track;
      if (!this.#isOurs) this.suppressed.flush();
      this.#put = this.#wanted;
      return this.#put;
    },
    left: (cleaned, source) => {
      if (this.suppressed.source === cleaned && source.readyState === "live") void this.replaceSource(source);
      else void this.#follow();
    },
  };

  /** Does nothing on a closed connection. */
  async #replace(track: MediaStreamTrack): Promise<void> {
    this.#put = track;
    if (this.#sender.carries !== track) void this.#sender.put(track).catch(() => undefined);
    await this.#sender.done;
  }
}

/** Clean what a sender sends, without renegotiation. rejects SordinoError "option" or "unsupported" */
export async function suppressSender(sender: RTCRtpSender, options: TrackOptions = {}): Promise<SuppressedSender> {
  const suppressed = new SuppressedSender(sender, options);
  await suppressed.started;
  return suppressed;
}
