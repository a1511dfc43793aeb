// Page thread: chooses the lighter model that replaces one that is too slow.

import { DEFAULT_MODEL, MODELS, type Model, nameOf } from "../assets/catalogue.js";
import type { SordinoOptions } from "../contract/options.js";

export function modelOf(options: SordinoOptions): Model {
  return options.model ?? DEFAULT_MODEL;
}

/**
 * The model that takes over: the page's own `lighterModel`, else the next lighter one of the package.
 *
 * model    the one that was too slow
 * returns  undefined where the policy is another or nothing lighter is known, as for a model of the page's own
 */
export function fallbackModel(model: Model, options: SordinoOptions): Model | undefined {
  const { overrunPolicy = "step-down", lighterModel } = options;
  if (overrunPolicy !== "step-down") return undefined;
  if (lighterModel !== undefined) return nameOf(lighterModel) === nameOf(model) ? undefined : lighterModel;
  return typeof model === "string" ? MODELS[MODELS.indexOf(model) - 1] : undefined;
}
