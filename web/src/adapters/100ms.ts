// Page thread: Sordino as a 100ms audio plugin.
//
//   await hmsActions.addPluginToAudioTrack(new SordinoPlugin());

import { NodeSwitch } from "../graph/node-switch.js";
import { NodeFactory, whileStarting } from "../lifecycle/node-factory.js";
import { SordinoError, SordinoNode, type SordinoOptions, supportedEngines } from "../sordino.js";

/**
 * Fits HMSAudioPlugin of @100mslive/hms-video-store. Events: "ready", "error", "fallback" and "overrun" as of SordinoNode,
 * also while there is no node yet.
 */
export class SordinoPlugin extends EventTarget {
  readonly #options: SordinoOptions;
  #factory: NodeFactory<SordinoNode> | undefined;
  #release = (): void => undefined;

  constructor(options: SordinoOptions = {}) {
    super();
    this.#options = options;
  }

  /** The node on the track; undefined until it is ready and while its creation fails. */
  get node(): SordinoNode | undefined {
    return this.#factory?.node;
  }

  /**
   * The voice passes at once, cleaned as soon as the kernel is ready; on failure emits "error" and retries. If the signal
   * fires before that, the voice keeps passing unchanged.
   */
  async processAudioTrack(context: AudioContext, source: AudioNode): Promise<AudioNode> {
    this.stop();
    const nodeSwitch = new NodeSwitch(context);
    const create = (signal: AbortSignal): Promise<SordinoNode> =>
      SordinoNode.create(context, { ...this.#options, signal });
    const factory = new NodeFactory(this, create, (node) => nodeSwitch.use(node), this.#options.retryMs);
    this.#factory = factory;
    this.#release = () => {
      factory.end();
      unlink(source, nodeSwitch.input);
      nodeSwitch.close();
    };
    source.connect(nodeSwitch.input);
    // Behind another plugin 100ms also connects that plugin to the output, past the dry/wet switch.
    setTimeout(() => unlink(source, nodeSwitch.output));
    whileStarting(factory.begin(), this.#options.signal, () => factory.giveUp());
    return nodeSwitch.output;
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
    this.#factory = undefined;
  }
}

/** Disconnect two nodes, if they are connected. */
function unlink(from: AudioNode, to: AudioNode): void {
  try {
    from.disconnect(to);
  } catch (error) {
    if ((error as DOMException).name !== "InvalidAccessError") throw error;
  }
}
