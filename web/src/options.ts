// Page thread: the options a caller may give, checked and turned into what the audio thread understands.

import { SordinoError } from "./errors.js";
import type { AssetUrls, ModelName } from "./load.js";
import type { EngineName, Settings } from "./messages.js";

export interface SordinoOptions {
  /** Where the files are, when they do not lie beside the package's script. */
  readonly assets?: AssetUrls;
  /** Default "standard". */
  readonly model?: ModelName;
  /** Default "auto": relaxed SIMD where the browser has it, SIMD128 elsewhere. Both compute the same. */
  readonly engine?: EngineName | "auto";
  /** Remove more between the harmonics and in pauses. Default true. */
  readonly postFilter?: boolean;
  /** Remove at most this many decibels; 0 removes nothing, Infinity (default) sets no limit. */
  readonly attenuationLimitDb?: number;
  /** Begin with the unchanged signal. Default false. */
  readonly bypass?: boolean;
  /** Gives up the creation when it fires. */
  readonly signal?: AbortSignal;
  /** Give up when the worklet has not answered after this time. Default 10000. */
  readonly timeoutMs?: number;
}

/** throws SordinoError "option" */
export function floorGain(attenuationLimitDb: number): number {
  if (!(attenuationLimitDb >= 0)) {
    throw new SordinoError(
      "option",
      `attenuationLimitDb is ${attenuationLimitDb}; wanted 0 or more decibels, or Infinity`,
    );
  }
  return 10 ** (-attenuationLimitDb / 20);
}

/** throws SordinoError "option" */
export function initialSettings(options: SordinoOptions): Settings {
  return {
    bypass: options.bypass ?? false,
    postFilter: options.postFilter ?? true,
    floorGain: floorGain(options.attenuationLimitDb ?? Number.POSITIVE_INFINITY),
  };
}
