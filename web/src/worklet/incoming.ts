// Audio thread: a chain that is to become audible: it warms up unheard, then fades in over the chain before it.

import type { Chain } from "./chain.js";
import { crossfade } from "./dry-wet-fade.js";

/** Warm-up of a new engine, unheard, so that the network's state has settled when it fades in. */
const WARM_UP_S = 0.3;
export const FADES_PER_SECOND = 100;

export class Incoming {
  readonly chain: Chain;
  /** Of its engine, as the page counts them. */
  readonly id: number;
  readonly #rate: number;
  /** Samples of warm-up that are left. */
  #left: number;
  #share = 0;

  /** rate  of the context, Hz */
  constructor(chain: Chain, id: number, rate: number) {
    this.chain = chain;
    this.id = id;
    this.#rate = rate;
    this.#left = chain.latency + Math.round(WARM_UP_S * rate);
  }

  /** Note that a quantum was processed. returns whether the chain is warm */
  warm(quantum: number): boolean {
    this.#left -= quantum;
    return this.#left <= 0;
  }

  /**
   * Fade by one quantum from what plays to this chain.
   *
   * wet      [channels][quantum] of what plays; gets the mixture
   * newWet   [channels][quantum] of this chain
   * returns  whether this chain alone is heard from now on
   */
  fade(wet: readonly Float32Array[], newWet: readonly Float32Array[], channels: number, quantum: number): boolean {
    const share = Math.min(1, this.#share + (quantum * FADES_PER_SECOND) / this.#rate);
    crossfade(wet, newWet, this.#share, share, channels, quantum);
    this.#share = share;
    return share === 1;
  }
}
