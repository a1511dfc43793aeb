// Page thread: the blind test's panel.

import { body, element, elements, made } from "../page/dom.js";
import { type Letter, Trial } from "./trial.js";
import type { Way } from "./way.js";

/** What the panel needs of the page. */
export interface BlindHost {
  /** Load both; rejects with a reason in words. */
  prepare(ways: readonly Way[]): Promise<void>;
  /** Hear a way, or undefined: whatever the switch says. */
  hear(way: Way | undefined): void;
}

const NAMES: Readonly<Record<Way, string>> = {
  raw: "Unprocessed",
  sordino: "Sordino",
  rnnoise: "RNNoise",
  gtcrn: "GTCRN",
};
/** Below this a score is hard to explain by luck. */
const CONVINCING = 0.05;

export class BlindTest {
  readonly #host: BlindHost;
  readonly #first = element<HTMLSelectElement>("#blind-first");
  readonly #second = element<HTMLSelectElement>("#blind-second");
  #trial: Trial | undefined;

  constructor(host: BlindHost) {
    this.#host = host;
    for (const [select, chosen] of [[this.#first, "sordino"] as const, [this.#second, "rnnoise"] as const]) {
      for (const [way, name] of Object.entries(NAMES)) select.append(made("option", name, { value: way }));
      select.value = chosen;
    }
    element("#blind-start").addEventListener("click", () => void this.#begin());
    element("#blind-end").addEventListener("click", () => this.end());
    for (const button of elements("#blind [data-letter]")) {
      button.addEventListener("click", () => this.#hear(button.dataset.letter as Letter));
    }
    for (const button of elements("#blind [data-answer]")) {
      button.addEventListener("click", () => this.#answer(button.dataset.answer as "A" | "B"));
    }
    element("#blind").addEventListener("keydown", (event) => this.#key(event));
    this.#show(false);
  }

  get running(): boolean {
    return this.#trial !== undefined;
  }

  /** Stop and say which was which. */
  end(): void {
    const trial = this.#trial;
    if (!trial) return;
    this.#trial = undefined;
    this.#show(false);
    this.#host.hear(undefined);
    this.#say(`A was ${NAMES[trial.way("A")]}, B was ${NAMES[trial.way("B")]}. ${score(trial)}`);
  }

  async #begin(): Promise<void> {
    const ways = [this.#first.value as Way, this.#second.value as Way] as const;
    if (ways[0] === ways[1]) {
      this.#say("Choose two different ones.");
      return;
    }
    this.#say("Fetching what is compared…");
    try {
      await this.#host.prepare(ways);
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
      return;
    }
    this.#trial = new Trial(...ways);
    this.#show(true);
    this.#say("Listen to A, B and X as often as you like, then say which of the two X is.");
    this.#hear("X");
    element("#blind [data-letter=X]").focus();
  }

  #hear(letter: Letter): void {
    if (!this.#trial) return;
    for (const button of elements("#blind [data-letter]")) {
      button.setAttribute("aria-pressed", String(button.dataset.letter === letter));
    }
    this.#host.hear(this.#trial.way(letter));
  }

  #answer(letter: "A" | "B"): void {
    if (!this.#trial) return;
    const right = this.#trial.answer(letter);
    body.trials = String(this.#trial.trials);
    this.#say(`${right ? "Right" : "Wrong"}. ${score(this.#trial)}`);
    this.#hear("X");
  }

  /** Letters work while the focus is in the panel. */
  #key(event: KeyboardEvent): void {
    const letter = event.key.toUpperCase();
    if (!this.#trial || event.ctrlKey || event.altKey || event.metaKey || !["A", "B", "X"].includes(letter)) return;
    event.preventDefault();
    this.#hear(letter as Letter);
  }

  #show(running: boolean): void {
    body.blind = running ? "on" : "off";
    element("#blind-choice").hidden = running;
    element("#blind-trial").hidden = !running;
  }

  #say(text: string): void {
    element("#blind-score").textContent = text;
  }
}

function score(trial: Trial): string {
  if (trial.trials === 0) return "No answer yet.";
  const chance = trial.chance;
  const verdict = chance < CONVINCING ? "you hear the difference" : "guessing explains it so far";
  return `${trial.right} of ${trial.trials} right, p = ${chance.toFixed(chance < 0.001 ? 5 : 3)}: ${verdict}.`;
}
