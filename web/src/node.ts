// Page thread: SordinoNode, an AudioWorkletNode that suppresses noise, and how it is created.

import { SordinoError } from "./errors.js";
import { type Assets, aborted, addWorklet, chooseEngine, fetchBytes, locate, type ModelName } from "./load.js";
import type { EngineName, Readout, Reply, Request, Settings, Startup, Stats } from "./messages.js";
import { floorGain, initialSettings, type SordinoOptions } from "./options.js";
import { SAMPLE_RATE } from "./params.js";

/** Put there by web/build.mjs: the processor's name, with the package's version in it. */
declare const PROCESSOR_NAME: string;

const TIMEOUT_MS = 10_000;
const READOUT_INTERVAL_MS = 33;

/** On a server there is no AudioWorkletNode; importing this file must do no harm there. */
const Base: typeof AudioWorkletNode = globalThis.AudioWorkletNode ?? (class {} as unknown as typeof AudioWorkletNode);

interface Identity {
  readonly engine: EngineName;
  readonly model: ModelName;
}

/**
 * Suppresses the noise in speech. Connect it like any other node.
 *
 * One input, one output. The stream is mono: the mean of the input's channels is worked on and written to every output
 * channel. Events: "error" (an ErrorEvent whose `error` is a SordinoError; the voice then passes through unchanged, with the same
 * latency, until reset()) and "readout" (a CustomEvent whose `detail` is a Readout) while startReadout() is on.
 */
export class SordinoNode extends Base {
  /** The kernel that runs. */
  readonly engine: EngineName;
  /** The model that runs. */
  readonly model: ModelName;
  #settings: Settings;
  #latencySamples = 0;
  #stateBytes = 0;
  #readout: Readout | undefined;
  #readoutTimer: ReturnType<typeof setInterval> | undefined;
  #waiting: ((readout: Readout | SordinoError) => void)[] = [];
  #started: ((outcome: undefined | SordinoError) => void) | undefined;
  #destroyed = false;

  private constructor(context: BaseAudioContext, identity: Identity, startup: Startup) {
    super(context, PROCESSOR_NAME, { numberOfInputs: 1, numberOfOutputs: 1, processorOptions: startup });
    this.engine = identity.engine;
    this.model = identity.model;
    this.#settings = startup.settings;
    this.port.onmessage = (event: MessageEvent<Reply>) => this.#hear(event.data);
    this.addEventListener("processorerror", () => {
      this.#report(new SordinoError("worklet", "the processor threw an exception; the browser has silenced the node"));
    });
  }

  /**
   * Fetch the kernel and the weights, start the processor and wait until it is ready.
   *
   * context  runs at 48000 Hz; may be an OfflineAudioContext, may still be suspended
   * rejects  SordinoError; its code says what went wrong
   */
  static async create(context: BaseAudioContext, options: SordinoOptions = {}): Promise<SordinoNode> {
    const { signal } = options;
    if (signal?.aborted) throw aborted(signal);
    const settings = initialSettings(options);
    checkContext(context);
    const engine = chooseEngine(options.engine ?? "auto");
    const model = options.model ?? "standard";
    const assets = locate(engine, model, options.assets ?? {});
    const startup = await prepare(context, assets, settings, signal);
    if (signal?.aborted) throw aborted(signal);
    let node: SordinoNode;
    try {
      node = new SordinoNode(context, { engine, model }, startup);
    } catch (cause) {
      throw new SordinoError("worklet", `the browser did not create the processor: ${cause}`, cause);
    }
    await node.#whenReady(signal, options.timeoutMs ?? TIMEOUT_MS);
    return node;
  }

  /** Delay between input and output, everything counted. */
  get latency(): { readonly samples: number; readonly seconds: number } {
    return { samples: this.#latencySamples, seconds: this.#latencySamples / SAMPLE_RATE };
  }

  /** Bytes that one stream carries from hop to hop. */
  get stateBytes(): number {
    return this.#stateBytes;
  }

  /** Probability, 0 to 1, that there is a voice, as of the last read-out; 0 before the first. */
  get voice(): number {
    return this.#readout?.voice ?? 0;
  }

  /** What the node costs, as of the last read-out; undefined before the first. */
  get stats(): Stats | undefined {
    return this.#readout?.stats;
  }

  /** Play the unchanged signal, with the same latency. Switching fades over one hop (10 ms). The kernel keeps running. */
  get bypass(): boolean {
    return this.#settings.bypass;
  }

  set bypass(bypass: boolean) {
    this.#apply({ ...this.#settings, bypass });
  }

  get postFilter(): boolean {
    return this.#settings.postFilter;
  }

  set postFilter(postFilter: boolean) {
    this.#apply({ ...this.#settings, postFilter });
  }

  get attenuationLimitDb(): number {
    return 0 - 20 * Math.log10(this.#settings.floorGain);
  }

  set attenuationLimitDb(attenuationLimitDb: number) {
    this.#apply({ ...this.#settings, floorGain: floorGain(attenuationLimitDb) });
  }

  /** Forget the past of the stream, counters included. After an "error" of code "runtime" this tries the kernel again. */
  reset(): void {
    this.#readout = undefined;
    this.#send({ type: "reset" });
  }

  /** One look at the running stream. Levels count from the read-out before. Rejects when the node is destroyed. */
  read(): Promise<Readout> {
    return new Promise((resolve, reject) => {
      if (this.#destroyed) {
        reject(new SordinoError("aborted", "the node was destroyed"));
        return;
      }
      this.#waiting.push((answer) => (answer instanceof SordinoError ? reject(answer) : resolve(answer)));
      if (this.#waiting.length === 1) this.#send({ type: "read" });
    });
  }

  /** Dispatch "readout" events, about 30 in a second unless told otherwise. */
  startReadout(intervalMs: number = READOUT_INTERVAL_MS): void {
    this.stopReadout();
    if (this.#destroyed) return;
    const ask = (): void => {
      if (this.#waiting.length === 0) this.read().then(undefined, () => this.stopReadout());
    };
    this.#readoutTimer = setInterval(ask, intervalMs);
  }

  stopReadout(): void {
    clearInterval(this.#readoutTimer);
    this.#readoutTimer = undefined;
  }

  /** Disconnect, and free the processor with all its memory. Without this a processor lives as long as its context. */
  destroy(): void {
    if (this.#destroyed) return;
    this.stopReadout();
    this.#send({ type: "destroy" });
    this.#destroyed = true;
    this.disconnect();
    this.port.onmessage = null;
    this.#answer(new SordinoError("aborted", "the node was destroyed"));
  }

  #apply(settings: Settings): void {
    this.#settings = settings;
    this.#send({ type: "settings", settings });
  }

  #send(request: Request): void {
    if (!this.#destroyed) this.port.postMessage(request);
  }

  #answer(answer: Readout | SordinoError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell(answer);
  }

  #hear(reply: Reply): void {
    switch (reply.type) {
      case "ready":
        this.#latencySamples = reply.latencySamples;
        this.#stateBytes = reply.stateBytes;
        this.#started?.(undefined);
        break;
      case "latency":
        this.#latencySamples = reply.latencySamples;
        break;
      case "readout":
        this.#readout = reply.readout;
        this.#answer(reply.readout);
        this.dispatchEvent(new CustomEvent("readout", { detail: reply.readout }));
        break;
      case "failure":
        this.#report(new SordinoError(reply.failure.code, reply.failure.message));
        break;
    }
  }

  /** An error before the node is ready rejects create(); a later one is an event. */
  #report(error: SordinoError): void {
    if (this.#started) this.#started(error);
    else this.dispatchEvent(new ErrorEvent("error", { error, message: error.message }));
  }

  async #whenReady(signal: AbortSignal | undefined, timeoutMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let onAbort: (() => void) | undefined;
    const outcome = await new Promise<undefined | SordinoError>((settle) => {
      this.#started = settle;
      const late = `the worklet did not answer within ${timeoutMs} ms (the context is ${this.context.state})`;
      timer = setTimeout(() => settle(new SordinoError("timeout", late)), timeoutMs);
      onAbort = () => settle(aborted(signal!));
      signal?.addEventListener("abort", onAbort);
    });
    this.#started = undefined;
    clearTimeout(timer);
    if (onAbort) signal?.removeEventListener("abort", onAbort);
    if (outcome === undefined) return;
    this.destroy();
    throw outcome;
  }
}

/** throws SordinoError "unsupported" or "sample-rate" */
function checkContext(context: BaseAudioContext): void {
  if (typeof AudioWorkletNode === "undefined" || !context.audioWorklet) {
    throw new SordinoError(
      "unsupported",
      "there is no AudioWorklet here; it needs a browser and a page served over HTTPS",
    );
  }
  if (context.sampleRate !== SAMPLE_RATE) {
    throw new SordinoError(
      "sample-rate",
      `the context runs at ${context.sampleRate} Hz; wanted ${SAMPLE_RATE}: new AudioContext({ sampleRate: ${SAMPLE_RATE} })`,
    );
  }
}

/** Everything the processor's constructor needs, fetched side by side. rejects SordinoError */
async function prepare(
  context: BaseAudioContext,
  assets: Assets,
  settings: Settings,
  signal: AbortSignal | undefined,
): Promise<Startup> {
  const [wasm, weights] = await Promise.all([
    fetchBytes("wasm module", assets.wasm, signal),
    fetchBytes("weight file", assets.weights, signal),
    addWorklet(context, assets.worklet),
  ]);
  return { wasm, weights, settings };
}
