// Page thread: base class of SordinoNode: settings that may change while it runs, event listeners, message port.

import { type Options, type SordinoEventMap, VoiceListeners } from "../contract/events.js";
import {
  type Changes,
  changedSettings,
  type PostFilter,
  type Preset,
  postFilterOf,
  presetSettings,
} from "../contract/options.js";
import type { Request, Settings, Startup } from "../protocol/messages.js";

/** Put there by web/build.mjs: the processor's name, with the package's version in it. */
declare const PROCESSOR_NAME: string;

/** Servers have no AudioWorkletNode; importing this file must not fail there. */
const Base: typeof AudioWorkletNode = globalThis.AudioWorkletNode ?? (class {} as unknown as typeof AudioWorkletNode);

/** Settings, listeners and message port of a node. Changes of settings do not click. */
export abstract class Controls extends Base {
  readonly #voiceListeners = new VoiceListeners((on) => this.send({ type: "voice", on }));
  #settings: Settings;
  #destroyed = false;

  protected constructor(context: BaseAudioContext, startup: Startup) {
    super(context, PROCESSOR_NAME, {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      channelCount: startup.channels,
      channelCountMode: "clamped-max",
      processorOptions: startup,
    });
    this.#settings = startup.settings;
  }

  /** Play the unchanged signal, with the same latency. Switching fades over one hop (10 ms). The kernel keeps running. */
  get bypass(): boolean {
    return this.#settings.bypass;
  }

  set bypass(bypass: boolean) {
    this.update({ bypass });
  }

  /** Remove more between the harmonics and in pauses. */
  get postFilter(): PostFilter {
    return postFilterOf(this.#settings);
  }

  set postFilter(postFilter: PostFilter) {
    this.update({ postFilter });
  }

  /** Remove at most this many decibels; 0 removes nothing, Infinity sets no limit. */
  get attenuationLimitDb(): number {
    return 0 - 20 * Math.log10(this.#settings.floorGain);
  }

  set attenuationLimitDb(attenuationLimitDb: number) {
    this.update({ attenuationLimitDb });
  }

  /** Name of the preset that matches post-filter and attenuation limit; undefined if none does. */
  get preset(): Preset | undefined {
    const { postFilterPasses, floorGain } = this.#settings;
    return (["conservative", "balanced", "strong"] as const).find((name) => {
      const preset = presetSettings(name);
      return preset.postFilterPasses === postFilterPasses && preset.floorGain === floorGain;
    });
  }

  set preset(preset: Preset) {
    this.update({ preset });
  }

  /** Change several settings at once. throws SordinoError "option" */
  update(changes: Changes): void {
    this.#settings = changedSettings(this.#settings, changes);
    this.send({ type: "settings", settings: this.#settings });
  }

  override addEventListener<K extends keyof SordinoEventMap>(
    type: K,
    listener: (event: SordinoEventMap[K]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  override addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: Options): void {
    super.addEventListener(type, listener, options);
    this.#voiceListeners.add(type, listener, options);
  }

  override removeEventListener<K extends keyof SordinoEventMap>(
    type: K,
    listener: (event: SordinoEventMap[K]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
  override removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: Options): void {
    super.removeEventListener(type, listener, options);
    this.#voiceListeners.remove(type, listener);
  }

  protected get destroyed(): boolean {
    return this.#destroyed;
  }

  protected send(request: Request, transfer: Transferable[] = []): void {
    if (!this.#destroyed) this.port.postMessage(request, transfer);
  }

  protected destroy(): void {
    this.send({ type: "destroy" });
    this.#destroyed = true;
    this.disconnect();
    this.port.onmessage = null;
  }

  protected dispatchVoice(probability: number): void {
    this.#voiceListeners.dispatch(this, probability);
  }
}
