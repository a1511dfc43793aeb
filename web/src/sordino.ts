// The package's front door.

export type { CustomModel } from "./catalogue.js";
export { MODELS, type ModelName } from "./catalogue.js";
export { asSordinoError, SordinoError, type SordinoErrorCode } from "./errors.js";
export type { Fallback, Overrun, SordinoEventMap, Stats, TrackEventMap, Voice } from "./events.js";
export { canUseFrames, FrameStream } from "./frames.js";
export { type AssetUrls, supportedEngines } from "./load.js";
export type { Counters, EngineName, Readout } from "./messages.js";
export { MICROPHONE, openMicrophone } from "./microphone.js";
export { SordinoNode } from "./node.js";
export type { Changes, LookAhead, OverrunPolicy, PostFilter, Preset, Schedule, SordinoOptions } from "./options.js";
export type { StateChange, StreamState } from "./states.js";
export { SuppressedTrack, suppressTrack, type TrackOptions } from "./track.js";
