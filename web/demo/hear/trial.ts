// Page thread: an ABX test: two systems, hidden; which of them is X? And how likely such a score is by guessing.

import type { Way } from "./way.js";

export type Letter = "A" | "B" | "X";

/** Chance of at least `right` out of `trials` by tossing a coin. */
export function chanceOf(right: number, trials: number): number {
  let ways = 1;
  let sum = 0;
  for (let k = 0; k <= trials; k++) {
    if (k >= right) sum += ways;
    ways = (ways * (trials - k)) / (k + 1);
  }
  return sum / 2 ** trials;
}

function coin(): boolean {
  return crypto.getRandomValues(new Uint8Array(1))[0]! < 128;
}

/** One sitting: A and B are tossed once, X before every answer. */
export class Trial {
  readonly #a: Way;
  readonly #b: Way;
  #xIsA = coin();
  #right = 0;
  #trials = 0;

  constructor(first: Way, second: Way) {
    [this.#a, this.#b] = coin() ? [first, second] : [second, first];
  }

  get right(): number {
    return this.#right;
  }

  get trials(): number {
    return this.#trials;
  }

  get chance(): number {
    return chanceOf(this.#right, this.#trials);
  }

  way(letter: Letter): Way {
    return letter === "A" || (letter === "X" && this.#xIsA) ? this.#a : this.#b;
  }

  /** Say what X is. Returns whether that was right, and tosses the next X. */
  answer(letter: "A" | "B"): boolean {
    const right = (letter === "A") === this.#xIsA;
    this.#trials += 1;
    this.#right += right ? 1 : 0;
    this.#xIsA = coin();
    return right;
  }
}
