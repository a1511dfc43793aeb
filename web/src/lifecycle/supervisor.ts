// Page thread: supervises a stream's engine: retries after failures, steps down to a lighter model and back up.

import { type Model, nameOf } from "../assets/catalogue.js";
import { dispatchDetail, dispatchFallback, type Overrun } from "../contract/events.js";
import type { SordinoOptions } from "../contract/options.js";
import { asSordinoError, SordinoError } from "../protocol/errors.js";
import type { EngineFiles } from "../protocol/messages.js";
import { Backoff } from "./backoff.js";
import { fallbackModel, modelOf } from "./lighter-model.js";
import { SerialQueue } from "./pending-requests.js";

/** First wait before stepping up again, as a multiple of the first retry pause. */
const ASCENT = 10;

/** Dispatches "error", "fallback" and "overrun" on the stream. */
export class Supervisor {
  readonly #stream: EventTarget;
  readonly #options: SordinoOptions;
  readonly #load: (model: Model) => Promise<EngineFiles>;
  readonly #run: (model: Model, files: EngineFiles) => Promise<void>;
  /** Model changes by the page: queued apart, so that a slow download delays no recovery. */
  readonly #changes = new SerialQueue();
  /** Engine starts: the audio thread warms up one at a time. */
  readonly #runs = new SerialQueue();
  readonly #backoff: Backoff;
  readonly #ascentBackoff: Backoff;
  #model: Model;
  /** The model that the page requested; `#model` may be a lighter one. */
  #wanted: Model;
  #overruns = 0;
  #suppressing = false;
  #begun = false;
  /** Number of pending attempts. */
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

  /** Name of the running or next model. */
  get model(): string {
    return nameOf(this.#model);
  }

  /** An engine runs. */
  get suppressing(): boolean {
    return this.#suppressing;
  }

  /** As `suppressing`; undefined before the first engine runs or has failed. */
  get runs(): boolean | undefined {
    return this.#begun ? this.#suppressing : undefined;
  }

  /** An engine runs. model: its own, where that is another */
  ready(model: Model = this.#model): void {
    this.#model = model;
    this.#begun = this.#suppressing = true;
    this.#backoff.cancel();
  }

  /** Change the model; the last request wins. rejects SordinoError */
  async change(model: Model): Promise<void> {
    await this.#changes.run(() => this.#adopt(model));
  }

  /** Try once to start an engine. Never rejects; the model changes only once its engine runs. */
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

  /** Does nothing if an engine has started in the meantime. */
  async #install(model: Model): Promise<void> {
    const files = await this.#load(model);
    await this.#runs.run(async () => {
      if (!this.#suppressing) await this.#run(model, files);
    });
  }

  /** Retry now, unless an attempt is pending. */
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

  /** Dispatch "error" and "fallback"; schedule a retry unless an attempt is pending. */
  failed(cause: SordinoError, underWay = false): void {
    if (this.#ended) return;
    this.#begun = true;
    this.#suppressing = false;
    const retryInMs = underWay ? 0 : this.#backoff.plan(cause);
    dispatchFallback(this.#stream, { cause, retryInMs, retry: () => this.retry() });
  }

  /** Stop retrying. cause: dispatched as "error" and "fallback" */
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

  /** A model was too slow: start a lighter one, or back off. */
  #stepDown(slow: Model, cause: SordinoError): void {
    this.#model = slow;
    this.#ascentBackoff.plan();
    const lighter = fallbackModel(slow, this.#options);
    if (lighter !== undefined && !this.#ended) void this.attempt(lighter);
    this.#say(lighter === undefined ? "bypass" : "step-down", lighter ?? slow);
    this.failed(cause, lighter !== undefined);
  }

  /** Step up to the requested model while the lighter one runs. */
  async #ascend(): Promise<void> {
    const ascend = async (): Promise<void> => {
      if (nameOf(this.#model) === nameOf(this.#wanted)) return;
      if (!this.#suppressing) throw new SordinoError("overrun", "even the lighter model is too slow");
      await this.#adopt(this.#wanted);
    };
    await this.#changes.run(ascend).catch(() => this.#ended || this.#ascentBackoff.plan());
  }
}
