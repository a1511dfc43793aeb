// Page thread: Sordino on an RTCRtpSender, for mediasoup, Daily and peer connections written by hand.
//
//   const sender = connection.getSenders().find(({ track }) => track?.kind === "audio");
//   const suppressed = await suppressSender(sender);

import { SordinoError, SuppressedTrack, type TrackOptions } from "../sordino.js";

/** Suppression on one sender. */
export class SuppressedSender {
  readonly suppressed: SuppressedTrack;
  readonly #sender: RTCRtpSender;
  readonly #end = new AbortController();

  constructor(sender: RTCRtpSender, options: TrackOptions) {
    if (!sender.track) throw new SordinoError("option", "the sender has no track; wanted one that sends audio");
    this.#sender = sender;
    this.suppressed = new SuppressedTrack(sender.track, options);
    this.suppressed.context?.addEventListener("statechange", () => void this.send(), { signal: this.#end.signal });
  }

  /** Send the cleaned track, or the source while the context stands still and would send silence. Never rejects. */
  async send(): Promise<void> {
    const { context, source, track } = this.suppressed;
    const wanted = context && context.state !== "running" ? source : track;
    if (!this.#end.signal.aborted) await this.#replace(wanted);
  }

  /** Another microphone on the same sender. */
  async replaceSource(source: MediaStreamTrack): Promise<void> {
    this.suppressed.replaceSource(source);
    await this.send();
  }

  /** Send the source itself again, and free everything. */
  async stop(): Promise<void> {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    await this.#replace(this.suppressed.source);
    this.suppressed.stop();
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
