// Page thread: what must hold before a node can be made, and what the processor's constructor is handed.

import { SordinoError } from "./errors.js";
import { aborted, addWorklet, chooseEngine, fetchEngine, locate } from "./load.js";
import type { EngineName, Startup } from "./messages.js";
import { channelCount, initialSettings, isSpread, type SordinoOptions } from "./options.js";
import { type Model, modelOf } from "./tiers.js";

const LOWEST_RATE = 8_000;
const HIGHEST_RATE = 192_000;

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

/** Check the options, load the worklet and fetch the files, side by side. rejects SordinoError */
export async function prepare(context: BaseAudioContext, options: SordinoOptions): Promise<Plan> {
  const { signal } = options;
  const model = modelOf(options);
  if (signal?.aborted) throw aborted(signal);
  const settings = initialSettings(options);
  const shape = { channels: channelCount(options), linked: options.linked ?? true, spread: isSpread(options) };
  checkContext(context);
  const engine = chooseEngine(options.engine ?? "auto");
  const assets = locate(engine, model, options);
  const [files] = await Promise.all([fetchEngine(assets, signal), addWorklet(context, assets.worklet)]);
  if (signal?.aborted) throw aborted(signal);
  const realTime = !isOffline(context) && options.overrunPolicy !== "ignore";
  const startup = { ...files, ...shape, settings, realTime };
  return { options, engine, model, startup };
}
