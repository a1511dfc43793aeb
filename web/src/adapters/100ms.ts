// Page thread: Sordino as a 100ms audio plugin.
//
//   await hmsActions.addPluginToAudioTrack(new SordinoPlugin());

import { asSordinoError, SordinoError, SordinoNode, type SordinoOptions, supportedEngines } from "../sordino.js";

/** Fits HMSAudioPlugin of @100mslive/hms-video-store. "error" events say why a track stayed as it was. */
export class SordinoPlugin extends EventTarget {
  readonly #options: SordinoOptions;
  #node: SordinoNode | undefined;
  #end = new AbortController();

  constructor(options: SordinoOptions = {}) {
    super();
    this.#options = options;
  }

  get node(): SordinoNode | undefined {
    return this.#node;
  }

  /** Where nothing can be suppressed a node comes back that passes the source on. */
  async processAudioTrack(context: AudioContext, source: AudioNode): Promise<AudioNode> {
    this.stop();
    const { signal } = this.#end;
    try {
      const node = await SordinoNode.create(context, { ...this.#options, signal });
      if (signal.aborted) node.destroy();
      else this.#node = node;
    } catch (cause) {
      const error = asSordinoError(cause);
      if (!signal.aborted) this.dispatchEvent(new ErrorEvent("error", { error, message: error.message }));
    }
    return source.connect(this.#node && !signal.aborted ? this.#node : new GainNode(context));
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
    this.#node?.destroy();
    this.#node = undefined;
  }
}
