// Page thread: what is set for the suppression: preset, strength, model, delay; kept apart from the node, which comes later.

import { type LookAhead, MODELS, type ModelName, type Preset, type SordinoNode } from "sordino";
import { CONSERVATIVE_LIMIT_DB } from "../../src/protocol/params.js";
import { element, made, markSegment, segments } from "../page/dom.js";

const PRESETS = [
  ["conservative", "Gentle"],
  ["balanced", "Balanced"],
  ["strong", "Strong"],
] as const;
const DEFAULT_PRESET: Preset = "balanced";
/** By frames of look-ahead: the latency at 48 kHz. */
const DELAYS = [
  ["2", "39 ms"],
  ["1", "29 ms"],
  ["0", "19 ms"],
] as const;
/** The slider's right end: no limit. */
const NO_LIMIT_DB = 40;
/** What the presets' own limits are, so that the slider can show them. */
const PRESET_LIMIT_DB: Readonly<Record<Preset, number>> = {
  conservative: CONSERVATIVE_LIMIT_DB,
  balanced: NO_LIMIT_DB,
  strong: NO_LIMIT_DB,
};

export class Settings {
  readonly #presets = element("#presets");
  readonly #strength = element<HTMLInputElement>("#strength");
  readonly #models = element<HTMLSelectElement>("#models");
  readonly #strengthValue = element("#strength-value");
  /** The words of the page for no limit. */
  readonly #noLimit = this.#strengthValue.textContent;
  readonly #fail: (error: unknown) => void;
  #lookAhead: LookAhead = 2;
  #node: SordinoNode | undefined;
  #preset: Preset = DEFAULT_PRESET;

  /**
   * fail   called when a model does not come
   * renew  called when a setting wants another node
   */
  constructor(fail: (error: unknown) => void, renew: () => void) {
    this.#fail = fail;
    segments(this.#presets, PRESETS, DEFAULT_PRESET, (value) => this.#choosePreset(value as Preset));
    this.#strength.max = String(NO_LIMIT_DB);
    this.#strength.addEventListener("input", () => this.#limit());
    for (const name of MODELS) this.#models.append(made("option", name, { value: name }));
    this.#models.value = MODELS.includes("standard") ? "standard" : MODELS[0]!;
    this.#models.disabled = MODELS.length < 2;
    this.#models.addEventListener("change", () => void this.#chooseModel());
    segments(element("#delays"), DELAYS, "2", (value) => {
      this.#lookAhead = Number(value) as LookAhead;
      renew();
    });
    this.#show(NO_LIMIT_DB);
  }

  get lookAhead(): LookAhead {
    return this.#lookAhead;
  }

  get model(): ModelName {
    return this.#models.value as ModelName;
  }

  get preset(): Preset {
    return this.#preset;
  }

  /** Decibels, Infinity for no limit. */
  get attenuationLimitDb(): number {
    const db = Number(this.#strength.value);
    return db >= NO_LIMIT_DB ? Number.POSITIVE_INFINITY : db;
  }

  /** A node has come: it gets what is set. */
  apply(node: SordinoNode): void {
    this.#node = node;
    node.preset = this.#preset;
    node.attenuationLimitDb = this.attenuationLimitDb;
  }

  /** The node has gone. */
  forget(): void {
    this.#node = undefined;
  }

  #choosePreset(preset: Preset): void {
    this.#preset = preset;
    this.#show(PRESET_LIMIT_DB[preset]);
    if (this.#node) this.apply(this.#node);
  }

  #limit(): void {
    this.#show(Number(this.#strength.value));
    if (this.#node) this.#node.attenuationLimitDb = this.attenuationLimitDb;
    const own = PRESET_LIMIT_DB[this.#preset] === Number(this.#strength.value);
    markSegment(this.#presets, own ? this.#preset : undefined);
  }

  async #chooseModel(): Promise<void> {
    try {
      await this.#node?.setModel(this.model);
    } catch (error) {
      this.#fail(error);
    }
  }

  #show(db: number): void {
    this.#strength.value = String(db);
    const words = db >= NO_LIMIT_DB ? this.#noLimit : `at most ${db} dB less`;
    this.#strength.setAttribute("aria-valuetext", words);
    this.#strengthValue.textContent = words;
  }
}
