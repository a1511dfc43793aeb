// Page thread: checks options and context before a node is created, fetches its files, builds the processor options.

import type { Model } from "../assets/catalogue.js";
import { addWorklet, chooseEngine, fetchEngine, locate } from "../assets/load.js";
import { checkWord, initialSettings, type SordinoOptions, streamShape } from "../contract/options.js";
import { aborted, SordinoError } from "../protocol/errors.js";
import type { EngineName, Startup } from "../protocol/messages.js";
import { modelOf } from "./lighter-model.js";

const LOWEST_RATE = 8_000;
const HIGHEST_RATE = 192_000;
const WORDS: {
  readonly [Name in "engine" | "overrunPolicy" | "schedule"]: readonly NonNullable<SordinoOptions[Name]>[];
} = {
  engine: ["auto", "relaxed", "simd128"],
  overrunPolicy: ["bypass", "step-down", "ignore"],
  schedule: ["immediate", "spread"],
};
const TIMES = ["retryMs", "timeoutMs"] as const;
/** A browser's timers wait no longer. */
const LONGEST_MS = 2 ** 31 - 1;

/** Everything that is known before the processor is made. */
export interface Plan {
  readonly options: SordinoOptions;
  readonly engine: EngineName;
  readonly model: Model;
  readonly startup: Startup;
}

export function isOffline(context: BaseAudioContext): boolean {
  return typeof OfflineAudioContext !== "undefined" && context instanceof OfflineAudioContext;
}

/** throws SordinoError "unsupported" or "sample-rate" */
function checkContext(context: BaseAudioContext): void {
  if (typeof AudioWorkletNode === "undefined" || !context.audioWorklet) {
    throw new SordinoError(
      "unsupported",
      "there is no AudioWorklet here; it needs a browser and a page served over HTTPS",
    );
  }
  const { sampleRate } = context;
  if (sampleRate < LOWEST_RATE || sampleRate > HIGHEST_RATE || !Number.isInteger(sampleRate)) {
    throw new SordinoError(
      "sample-rate",
      `the context runs at ${sampleRate} Hz; wanted a whole number from ${LOWEST_RATE} to ${HIGHEST_RATE}`,
    );
  }
}

/** All that can be checked before anything is made. throws SordinoError "option" */
export function checkOptions(options: SordinoOptions): void {
  initialSettings(options);
  streamShape(options);
  for (const model of [modelOf(options), options.lighterModel]) if (model) locate("simd128", model, options);
  for (const [name, words] of Object.entries(WORDS)) checkWord(name, options[name as keyof typeof WORDS], words);
  for (const name of TIMES) {
    const ms = options[name];
    if (ms === undefined || (ms > 0 && ms <= LONGEST_MS)) continue;
    throw new SordinoError("option", `${name} is ${ms}; wanted more than 0 and at most ${LONGEST_MS} milliseconds`);
  }
}

/** Check the options, load the worklet and fetch the files, side by side. rejects SordinoError */
export async function prepare(context: BaseAudioContext, options: SordinoOptions): Promise<Plan> {
  const { signal } = options;
  if (signal?.aborted) throw aborted(signal);
  checkOptions(options);
  const model = modelOf(options);
  const settings = initialSettings(options);
  checkContext(context);
  const engine = chooseEngine(options.engine ?? "auto");
  const assets = locate(engine, model, options);
  const [files] = await Promise.all([fetchEngine(assets, signal), addWorklet(context, assets.worklet)]);
  if (signal?.aborted) throw aborted(signal);
  const offline = isOffline(context);
  const realTime = !offline && options.overrunPolicy !== "ignore";
  const startup = { ...files, ...streamShape(options), settings, realTime, offline };
  return { options, engine, model, startup };
}
