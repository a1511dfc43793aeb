// Page thread: Sordino as a 100ms audio plugin.
//
//   await hmsActions.addPluginToAudioTrack(new SordinoPlugin());

import { Recovery } from "../recovery.js";
import {
  asSordinoError,
  type Fallback,
  SordinoError,
  SordinoNode,
  type SordinoOptions,
  supportedEngines,
} from "../sordino.js";
import { Ways } from "../ways.js";

const PASSED_ON = ["ready", "error", "fallback", "overrun"];

/**
 * Fits HMSAudioPlugin of @100mslive/hms-video-store. Events: "ready", "error", "fallback" and "overrun" as of SordinoNode,
 * also while there is no node yet.
 */
export class SordinoPlugin extends EventTarget {
  readonly #options: SordinoOptions;
  #node: SordinoNode | undefined;
  #end = new AbortController();
  #recovery: Recovery | undefined;

  constructor(options: SordinoOptions = {}) {
    super();
    this.#options = options;
  }

  /** What works on the track; undefined until it is ready and while its creation fails. */
  get node(): SordinoNode | undefined {
    return this.#node;
  }

  /** The voice passes at once, cleaned as soon as the kernel is ready; what fails is told, and tried again. */
  async processAudioTrack(context: AudioContext, source: AudioNode): Promise<AudioNode> {
    this.stop();
    const { signal } = this.#end;
    const ways = new Ways(context);
    const recovery = new Recovery(() => void this.#start(ways, signal), this.#options.retryMs);
    this.#recovery = recovery;
    signal.addEventListener("abort", () => {
      recovery.cancel();
      unlink(source, ways.input);
      ways.close();
    });
    source.connect(ways.input);
    // Behind another plugin 100ms connects that one to the answer as well, past both ways.
    setTimeout(() => unlink(source, ways.output));
    void this.#start(ways, signal);
    return ways.output;
  }

  /** One attempt. It never rejects: what goes wrong is told, and tried again. */
  async #start(ways: Ways, signal: AbortSignal): Promise<void> {
    try {
      const node = await SordinoNode.create(ways.input.context, { ...this.#options, signal });
      if (signal.aborted) {
        node.destroy();
        return;
      }
      this.#node = node;
      for (const type of PASSED_ON) {
        node.addEventListener(type, (event) => this.dispatchEvent(copyOf(event)), { signal });
      }
      node.addEventListener("processorerror", () => this.#lost(ways), { signal });
      ways.use(node);
    } catch (cause) {
      if (!signal.aborted) this.#fallBack(asSordinoError(cause));
    }
  }

  /** The browser has silenced the node: the voice takes the direct way, and a new node is made. */
  #lost(ways: Ways): void {
    this.#node = undefined;
    ways.use(undefined);
    this.#recovery?.plan();
  }

  #fallBack(cause: SordinoError): void {
    this.dispatchEvent(new ErrorEvent("error", { error: cause, message: cause.message }));
    const retry = (): void => this.#recovery?.now();
    const retryInMs = this.#recovery?.plan(cause);
    const detail: Fallback = { cause, retryInMs, retry };
    this.dispatchEvent(new CustomEvent("fallback", { detail }));
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
    this.#end.abort();
    this.#end = new AbortController();
    this.#node = undefined;
    this.#recovery = undefined;
  }
}

/** The same event for another target. */
function copyOf(event: Event): Event {
  const Kind = event.constructor as new (type: string, init: EventInit) => Event;
  return new Kind(event.type, event);
}

/** Take back a connection, if there is one. */
function unlink(from: AudioNode, to: AudioNode): void {
  try {
    from.disconnect(to);
  } catch (error) {
    if ((error as DOMException).name !== "InvalidAccessError") throw error;
  }
}
