// Audio thread: reports five times a second whether input arrived, was silent, and was processed.

import type { Reply } from "../protocol/messages.js";

const HEARTBEATS_PER_SECOND = 5;

/** Counts render quanta. It allocates nothing but the messages. */
export class Heartbeat {
  readonly #interval: number;
  readonly #say: (reply: Reply) => void;
  #samples = 0;
  #arrived = false;
  #silent = true;
  #hops = 0;

  constructor(rate: number, say: (reply: Reply) => void) {
    this.#interval = rate / HEARTBEATS_PER_SECOND;
    this.#say = say;
  }

  /** hops: given out by the kernel in this quantum */
  noteHops(hops: number): void {
    this.#hops += hops;
  }

  /**
   * One quantum has been played.
   *
   * arrived  whether there was an input
   * silent   whether that was digital silence
   * share    of the cleaned sound in what came out, 0 to 1
   */
  note(samples: number, arrived: boolean, silent: boolean, share: number): void {
    this.#samples += samples;
    this.#arrived ||= arrived;
    this.#silent &&= silent;
    if (this.#samples < this.#interval) return;
    this.#say({
      type: "heartbeat",
      arrived: this.#arrived,
      silent: this.#silent,
      cleaned: this.#hops > 0 && share > 0,
    });
    this.#samples = 0;
    this.#hops = 0;
    this.#arrived = false;
    this.#silent = true;
  }
}
