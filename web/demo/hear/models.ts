// Page thread: the models this page was built with.

import type { ModelName } from "sordino";

/** Put there by web/build.mjs. */
declare const BUILT_MODELS: readonly ModelName[];

export const MODELS = BUILT_MODELS;
