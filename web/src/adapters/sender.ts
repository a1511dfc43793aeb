// Page thread: wraps RTCRtpSender.replaceTrack() and records the track that a sender carries. Rules: tracks/mute.ts.

type Replace = RTCRtpSender["replaceTrack"];

/** Somebody who cleans what a sender sends. */
export interface Guest {
  /** What goes on the sender when the page asks for a track. */
  asked(track: MediaStreamTrack | null): MediaStreamTrack | null;
  /** Another guest has left, whose cleaned track has ended; its source may be on the sender now. */
  left(cleaned: MediaStreamTrack, source: MediaStreamTrack): void;
}

/**
 * Knows what a sender carries, or will as soon as what was asked for is done: replaceTrack() takes its time, and a mute by
 * replaceTrack(null) that is pending must not be undone. It overrides the sender's own replaceTrack().
 */
export class WatchedSender {
  static readonly #all = new WeakMap<RTCRtpSender, WatchedSender>();
  readonly #sender: RTCRtpSender;
  readonly #replace: Replace;
  readonly #guests = new Set<Guest>();
  /** Cleaned tracks that have ended -> what to send when the page gives one back. */
  readonly #instead = new WeakMap<MediaStreamTrack, MediaStreamTrack>();
  #last: MediaStreamTrack | null = null;
  #underWay = 0;
  /** Resolves when what was asked for last is done. */
  done: Promise<void> = Promise.resolve();

  static of(sender: RTCRtpSender): WatchedSender {
    const found = WatchedSender.#all.get(sender) ?? new WatchedSender(sender);
    WatchedSender.#all.set(sender, found);
    return found;
  }

  private constructor(sender: RTCRtpSender) {
    this.#sender = sender;
    this.#replace = sender.replaceTrack.bind(sender);
    const replaceTrack: Replace = async (track) => {
      let wanted = track;
      for (const guest of this.#guests) wanted = guest.asked(wanted);
      await this.put((wanted && this.#instead.get(wanted)) ?? wanted);
    };
    Object.defineProperty(sender, "replaceTrack", { configurable: true, writable: true, value: replaceTrack });
  }

  /** From now on what the page asks for passes by. */
  join(guest: Guest): void {
    this.#guests.add(guest);
  }

  leave(guest: Guest, cleaned: MediaStreamTrack, source: MediaStreamTrack): void {
    this.#guests.delete(guest);
    this.#instead.set(cleaned, source);
  }

  /** The other guests go on with the source of one that has left. */
  passOn(cleaned: MediaStreamTrack, source: MediaStreamTrack): void {
    for (const guest of this.#guests) guest.left(cleaned, source);
  }

  get carries(): MediaStreamTrack | null {
    return this.#underWay > 0 ? this.#last : this.#sender.track;
  }

  /** rejects as replaceTrack() does */
  async put(track: MediaStreamTrack | null): Promise<void> {
    this.#last = track;
    this.#underWay++;
    const replaced = this.#replace(track);
    this.done = replaced.catch(() => undefined);
    try {
      await replaced;
    } finally {
      this.#underWay--;
    }
  }
}
