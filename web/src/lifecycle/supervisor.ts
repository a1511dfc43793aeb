// Page thread: keeps a stream suppressing. Tries again after failures, steps down from a model that is too slow, and back.

import { type Model, nameOf } from "../assets/catalogue.js";
import { dispatchDetail, dispatchFallback, type Overrun } from "../contract/events.js";
import type { SordinoOptions } from "../contract/options.js";
import { asSordinoError, SordinoError } from "../protocol/errors.js";
import type { EngineFiles } from "../protocol/messages.js";
import { Backoff } from "./backoff.js";
import { fallbackModel, modelOf } from "./fallback-model.js";
import { SerialQueue } from "./pending-requests.js";

/** The first wait before the way back to a heavier model, in pauses after a failure. */
const ASCENT = 10;

/** Its events, "error", "fallback" and "overrun", go to the stream. */
export class Supervisor {
  readonly #stream: EventTarget;
  readonly #options: SordinoOptions;
  readonly #load: (model: Model) => Promise<EngineFiles>;
  readonly #run: (model: Model, files: EngineFiles) => Promise<void>;
  /** What the page asks for; a transfer that takes long holds up only these. */
  readonly #changes = new SerialQueue();
  /** The audio thread warms up one engine at a time: a second one would take the place of the first. */
  readonly #runs = new SerialQueue();
  readonly #backoff: Backoff;
  readonly #ascentBackoff: Backoff;
  #model: Model;
  /** What the page asked for last; `#model` may be a lighter one. */
  #wanted: Model;
  #overruns = 0;
  #suppressing = false;
  #begun = false;
  /** NodeFactory under way. */
  #underWay = 0;
  #ended = false;

  /**
   * load  the files of a model; rejects SordinoError
   * run   until an engine made of them runs; rejects SordinoError
   */
  constructor(
    stream: EventTarget,
    options: SordinoOptions,
    load: (model: Model) => Promise<EngineFiles>,
    run: (model: Model, files: EngineFiles) => Promise<void>,
  ) {
    this.#stream = stream;
    this.#options = options;
    this.#load = load;
    this.#run = run;
    this.#model = this.#wanted = modelOf(options);
    this.#backoff = new Backoff(() => void this.attempt(this.#model), options.retryMs);
    this.#ascentBackoff = new Backoff(() => void this.#ascend(), options.retryMs, ASCENT);
  }

  /** The name of the model that runs or is to run. */
  get model(): string {
    return nameOf(this.#model);
  }

  /** An engine runs. */
  get suppressing(): boolean {
    return this.#suppressing;
  }

  /** The same; undefined before the first engine runs or has failed. */
  get runs(): boolean | undefined {
    return this.#begun ? this.#suppressing : undefined;
  }

  /** An engine runs. model: its own, where that is another */
  ready(model: Model = this.#model): void {
    this.#model = model;
    this.#begun = this.#suppressing = true;
    this.#backoff.cancel();
  }

  /** As the page wants; the last one asked for is the one that stays. rejects SordinoError */
  async change(model: Model): Promise<void> {
    await this.#changes.run(() => this.#adopt(model));
  }

  /** One attempt. It never rejects; another model becomes the stream's only once it runs. */
  async attempt(model: Model = this.#model): Promise<void> {
    this.#underWay++;
    const error = await this.#install(model).then(() => undefined, asSordinoError);
    this.#underWay--;
    if (error === undefined || this.#ended) return;
    if (error.code === "overrun") this.#stepDown(model, error);
    else this.failed(error);
  }

  async #adopt(model: Model): Promise<void> {
    const files = await this.#load(model);
    await this.#runs.run(() => this.#run(model, files));
    this.#wanted = model;
    this.#ascentBackoff.cancel();
  }

  /** Another model may run by then, and nothing is left to do. */
  async #install(model: Model): Promise<void> {
    const files = await this.#load(model);
    await this.#runs.run(async () => {
      if (!this.#suppressing) await this.#run(model, files);
    });
  }

  /** An attempt now, unless one is under way. */
  retry(): void {
    if (!this.#suppressing && !this.#ended && this.#underWay === 0) this.#backoff.now();
  }

  overrun(overruns: number, stopped: boolean): void {
    this.#overruns = overruns;
    const late = `${overruns} frames were late`;
    if (stopped)
      this.#stepDown(this.#model, new SordinoError("overrun", `the kernel was too slow for too long (${late})`));
    else this.#say("none", this.#model);
  }

  /** The unchanged voice plays. Says so, and plans an attempt to go on unless one is under way. */
  failed(cause: SordinoError, underWay = false): void {
    if (this.#ended) return;
    this.#begun = true;
    this.#suppressing = false;
    const retryInMs = underWay ? 0 : this.#backoff.plan(cause);
    dispatchFallback(this.#stream, { cause, retryInMs, retry: () => this.retry() });
  }

  /** Nothing is tried any more. cause: told, where that is a failure */
  end(cause?: SordinoError): void {
    this.#ended = this.#begun = true;
    this.#suppressing = false;
    this.#backoff.cancel();
    this.#ascentBackoff.cancel();
    if (cause) dispatchFallback(this.#stream, { cause, retryInMs: undefined, retry: () => undefined });
  }

  #say(action: Overrun["action"], model: Model): void {
    dispatchDetail<Overrun>(this.#stream, "overrun", { overruns: this.#overruns, action, model: nameOf(model) });
  }

  /** A model was too slow: on to a lighter one, or a pause. */
  #stepDown(slow: Model, cause: SordinoError): void {
    this.#model = slow;
    this.#ascentBackoff.plan();
    const lighter = fallbackModel(slow, this.#options);
    if (lighter !== undefined && !this.#ended) void this.attempt(lighter);
    this.#say(lighter === undefined ? "bypass" : "step-down", lighter ?? slow);
    this.failed(cause, lighter !== undefined);
  }

  /** Back to the model that was wanted, beside the lighter one that runs. */
  async #ascend(): Promise<void> {
    const ascend = async (): Promise<void> => {
      if (nameOf(this.#model) === nameOf(this.#wanted)) return;
      if (!this.#suppressing) throw new SordinoError("overrun", "even the lighter model is too slow");
      await this.#adopt(this.#wanted);
    };
    await this.#changes.run(ascend).catch(() => this.#ended || this.#ascentBackoff.plan());
  }
}
