// Page thread: names of the models that the package ships, and the type of a model of the page's own.

import { WEIGHTS } from "./models.js";

/** A model of the package by its name: of "tiny", "standard" and "full" those that `MODELS` lists. */
export type ModelName = keyof typeof WEIGHTS;

/** The models of the package, the lightest first. */
export const MODELS: readonly ModelName[] = Object.keys(WEIGHTS) as ModelName[];

export const DEFAULT_MODEL: ModelName = "standard";

/** A weight file of your own. */
export interface CustomModel {
  readonly name: string;
  readonly url: string | URL;
}

export type Model = ModelName | CustomModel;

export function nameOf(model: Model): string {
  return typeof model === "string" ? model : model.name;
}
