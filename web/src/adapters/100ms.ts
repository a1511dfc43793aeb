// Page thread: Sordino as a 100ms audio plugin.
//
//   await hmsActions.addPluginToAudioTrack(new SordinoPlugin());

import { Attempts, whileStarting } from "../attempts.js";
import { SordinoError, SordinoNode, type SordinoOptions, supportedEngines } from "../sordino.js";
import { Ways } from "../ways.js";

/**
 * Fits HMSAudioPlugin of @100mslive/hms-video-store. Events: "ready", "error", "fallback" and "overrun" as of SordinoNode,
 * also while there is no node yet.
 */
export class SordinoPlugin extends EventTarget {
  readonly #options: SordinoOptions;
  #attempts: Attempts | undefined;
  #release = (): void => undefined;

  constructor(options: SordinoOptions = {}) {
    super();
    this.#options = options;
  }

  /** What works on the track; undefined until it is ready and while its creation fails. */
  get node(): SordinoNode | undefined {
    return this.#attempts?.node;
  }

  /**
   * The voice passes at once, cleaned as soon as the kernel is ready; what fails is told, and tried again. Where the signal
   * fires before that the voice goes on passing as it is.
   */
  async processAudioTrack(context: AudioContext, source: AudioNode): Promise<AudioNode> {
    this.stop();
    const ways = new Ways(context);
    const create = (signal: AbortSignal): Promise<SordinoNode> =>
      SordinoNode.create(context, { ...this.#options, signal });
    const attempts = new Attempts(this, create, (node) => ways.use(node), this.#options.retryMs);
    this.#attempts = attempts;
    this.#release = () => {
      attempts.end();
      unlink(source, ways.input);
      ways.close();
    };
    source.connect(ways.input);
    // Behind another plugin 100ms connects that one to the answer as well, past both ways.
    setTimeout(() => unlink(source, ways.output));
    whileStarting(attempts.begin(), this.#options.signal, () => attempts.giveUp());
    return ways.output;
  }

  checkSupport(): { isSupported: boolean; errMsg?: string } {
    const error =
      supportedEngines().length > 0 && typeof AudioWorkletNode !== "undefined"
        ? undefined
        : new SordinoError("unsupported", "there is no AudioWorklet or no WebAssembly SIMD here");
    return error ? { isSupported: false, errMsg: error.message } : { isSupported: true };
  }

  isSupported(): boolean {
    return this.checkSupport().isSupported;
  }

  init(): void {}

  getName(): string {
    return "sordino";
  }

  /** "TRANSFORM"; `never` because the type is an enum of their package, which ours does not depend on. */
  getPluginType(): never {
    return "TRANSFORM" as never;
  }

  stop(): void {
    this.#release();
    this.#release = () => undefined;
    this.#attempts = undefined;
  }
}

/** Take back a connection, if there is one. */
function unlink(from: AudioNode, to: AudioNode): void {
  try {
    from.disconnect(to);
  } catch (error) {
    if ((error as DOMException).name !== "InvalidAccessError") throw error;
  }
}
