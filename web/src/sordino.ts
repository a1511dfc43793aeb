// The package's front door.

export { SordinoError, type SordinoErrorCode } from "./errors.js";
export { type AssetUrls, type ModelName, supportedEngines } from "./load.js";
export type { EngineName, Readout, Stats } from "./messages.js";
export { SordinoNode } from "./node.js";
export type { SordinoOptions } from "./options.js";
export { type SuppressedTrack, suppressTrack, type TrackOptions } from "./track.js";
