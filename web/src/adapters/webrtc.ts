// Page thread: Sordino on an RTCRtpSender, for mediasoup, Daily and peer connections written by hand.
//
//   const sender = connection.getSenders().find(({ track }) => track?.kind === "audio");
//   const suppressed = await suppressSender(sender);

import { SordinoError, SuppressedTrack, type TrackOptions } from "../sordino.js";

/** Suppression on one sender. */
export class SuppressedSender {
  readonly #sender: RTCRtpSender;
  readonly #options: TrackOptions;
  readonly #end = new AbortController();
  #suppressed: SuppressedTrack;

  constructor(sender: RTCRtpSender, options: TrackOptions) {
    if (!sender.track) throw new SordinoError("option", "the sender has no track; wanted one that sends audio");
    this.#sender = sender;
    this.#options = options;
    this.#suppressed = this.#suppress(sender.track);
  }

  /** What works on the sender's track; another one after a microphone that has ended was replaced. */
  get suppressed(): SuppressedTrack {
    return this.#suppressed;
  }

  /** Send the cleaned track, or the source while the context stands still and would send silence. Never rejects. */
  async send(): Promise<void> {
    const { context, source, track } = this.suppressed;
    const wanted = context && context.state !== "running" ? source : track;
    if (!this.#end.signal.aborted) await this.#replace(wanted);
  }

  /** Another microphone on the same sender, also after the one before has ended. rejects as SuppressedTrack throws */
  async replaceSource(source: MediaStreamTrack): Promise<void> {
    if (this.#end.signal.aborted) return;
    if (this.suppressed.track.readyState === "live") this.suppressed.replaceSource(source);
    else this.#suppressed = this.#suppress(source);
    await this.send();
  }

  /** Send the source itself again, and free everything. */
  async stop(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    await this.#replace(this.suppressed.source);
    this.suppressed.stop();
  }

  #suppress(track: MediaStreamTrack): SuppressedTrack {
    const suppressed = new SuppressedTrack(track, this.#options);
    suppressed.context?.addEventListener("statechange", () => void this.send(), { signal: this.#end.signal });
    return suppressed;
  }

  /** A closed connection sends nothing, so there is nothing to replace. */
  async #replace(track: MediaStreamTrack): Promise<void> {
    if (this.#sender.track !== track) await this.#sender.replaceTrack(track).catch(() => undefined);
  }
}

/** Clean what a sender sends, without renegotiation. rejects SordinoError "option" or "unsupported" */
export async function suppressSender(sender: RTCRtpSender, options: TrackOptions = {}): Promise<SuppressedSender> {
  const suppressed = new SuppressedSender(sender, options);
  await suppressed.suppressed.started;
  await suppressed.send();
  return suppressed;
}
