// Page thread: types of the options; checks them and converts them to settings of the audio thread.

import type { CustomModel, ModelName } from "../assets/catalogue.js";
import type { AssetUrls } from "../assets/load.js";
import { SordinoError } from "../protocol/errors.js";
import type { EngineName, Settings, StreamShape } from "../protocol/messages.js";
import { CONSERVATIVE_LIMIT_DB, MAX_LOOK_AHEAD } from "../protocol/params.js";

/** How much is removed: every preset is a pair of post-filter and attenuation limit. */
export type Preset = "conservative" | "balanced" | "strong";

/**
 * Off (default), once, or twice: how often the gains are sharpened, as far as there is noise. It removes more, of the voice
 * too.
 */
export type PostFilter = boolean | "double";

/** What happens when the kernel is too slow for too long. */
export type OverrunPolicy = "bypass" | "step-down" | "ignore";

/** When the audio thread computes a hop: in the render quantum that completes it, or spread over those that follow. */
export type Schedule = "immediate" | "spread";

/** Frames of 10 ms that are heard before a frame is decided on. */
export type LookAhead = 0 | 1 | 2;

export interface SordinoOptions {
  /** Where the files are, when they do not lie beside the package's script. */
  readonly assets?: AssetUrls;
  /** Default "standard". */
  readonly model?: ModelName | CustomModel;
  /** Default "auto": relaxed SIMD where the browser has it, SIMD128 elsewhere. Both compute the same. */
  readonly engine?: EngineName | "auto";
  /**
   * Default "immediate": no extra latency, and all work of a hop in one render quantum; nodes of one context take turns,
   * so that their hops fall into different quanta. "spread": the same samples some quanta later (3 of 128 samples at
   * 48 kHz, 8 ms; counted in `latency`), with less than half the work in the dearest quantum, for weak machines and for
   * many streams in one context. The frame path has no quanta to spread it over.
   */
  readonly schedule?: Schedule;
  /**
   * Default 2. Each frame less is 10 ms less latency, and costs some quality. A model of your own that was trained for
   * fewer has its own number.
   */
  readonly lookAhead?: LookAhead;
  /** Default "balanced". postFilter and attenuationLimitDb, where given, replace what the preset says. */
  readonly preset?: Preset;
  readonly postFilter?: PostFilter;
  /** Remove at most this many decibels; 0 removes nothing, Infinity sets no limit. */
  readonly attenuationLimitDb?: number;
  /** Begin with the unchanged signal. Default false. */
  readonly bypass?: boolean;
  /** Most channels, 1 to 8; more are mixed down. Default 2. */
  readonly channels?: number;
  /** One decision and the same gains for all channels, which keeps the stereo image (default), or each channel alone. */
  readonly linked?: boolean;
  /**
   * Default "step-down": the next lighter model of the package, and below the lightest "bypass", the unchanged voice. After
   * a while without trouble, 10 s at first, the heavier model is tried again.
   */
  readonly overrunPolicy?: OverrunPolicy;
  /** What "step-down" goes to instead; a model of your own steps down to nothing else. */
  readonly lighterModel?: ModelName | CustomModel;
  /** First pause before a failed kernel is tried again; it doubles up to 30 s. Default 1000. */
  readonly retryMs?: number;
  /** Gives up the creation when it fires. */
  readonly signal?: AbortSignal;
  /** Give up when the worklet has not answered after this time. Default 10000. */
  readonly timeoutMs?: number;
}

/** What may change while a stream runs. */
export type Changes = Pick<SordinoOptions, "bypass" | "preset" | "postFilter" | "attenuationLimitDb">;

export const PRESETS: Readonly<
  Record<Preset, { readonly postFilter: PostFilter; readonly attenuationLimitDb: number }>
> = {
  conservative: { postFilter: false, attenuationLimitDb: CONSERVATIVE_LIMIT_DB },
  balanced: { postFilter: false, attenuationLimitDb: Number.POSITIVE_INFINITY },
  strong: { postFilter: "double", attenuationLimitDb: Number.POSITIVE_INFINITY },
};

const PASSES = new Map<PostFilter, number>([
  [false, 0],
  [true, 1],
  ["double", 2],
]);
const MOST_CHANNELS = 8;

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
export function passes(postFilter: PostFilter): number {
  const found = PASSES.get(postFilter);
  if (found === undefined)
    throw new SordinoError("option", `postFilter is ${postFilter}; wanted a boolean or "double"`);
  return found;
}

export function postFilterOf(settings: Settings): PostFilter {
  return settings.postFilterPasses === 2 ? "double" : settings.postFilterPasses === 1;
}

/** throws SordinoError "option" */
export function presetSettings(preset: Preset): Pick<Settings, "postFilterPasses" | "floorGain"> {
  const values = PRESETS[preset];
  if (values === undefined) {
    throw new SordinoError("option", `preset is "${preset}"; wanted ${Object.keys(PRESETS).join(", ")}`);
  }
  return { postFilterPasses: passes(values.postFilter), floorGain: floorGain(values.attenuationLimitDb) };
}

const FIRST: Settings = { bypass: false, ...presetSettings("balanced") };

/**
 * Settings with some of them changed.
 *
 * changes  a preset sets two values; what is named beside it wins
 * throws   SordinoError "option"
 */
export function changedSettings(settings: Settings, changes: Changes): Settings {
  const { bypass, preset, postFilter, attenuationLimitDb } = changes;
  const from = preset === undefined ? settings : { ...settings, ...presetSettings(preset) };
  return {
    bypass: bypass ?? from.bypass,
    postFilterPasses: postFilter === undefined ? from.postFilterPasses : passes(postFilter),
    floorGain: attenuationLimitDb === undefined ? from.floorGain : floorGain(attenuationLimitDb),
  };
}

/** throws SordinoError "option" */
export function initialSettings(options: SordinoOptions): Settings {
  return changedSettings(FIRST, options);
}

/** throws SordinoError "option" where an option is given and is none of the words */
export function checkWord(name: string, value: string | undefined, words: readonly string[]): void {
  if (value === undefined || words.includes(value)) return;
  throw new SordinoError("option", `${name} is "${value}"; wanted ${words.join(", ")}`);
}

function wholeNumber(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new SordinoError("option", `${name} is ${value}; wanted a whole number from ${least} to ${most}`);
}

/** What stays the same as long as a stream lives, but for whether time counts. throws SordinoError "option" */
export function streamShape(options: SordinoOptions): Omit<StreamShape, "realTime"> {
  return {
    channels: wholeNumber("channels", options.channels ?? 2, 1, MOST_CHANNELS),
    linked: options.linked ?? true,
    spread: options.schedule === "spread",
    lookAhead: wholeNumber("lookAhead", options.lookAhead ?? MAX_LOOK_AHEAD, 0, MAX_LOOK_AHEAD),
  };
}
