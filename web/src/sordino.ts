// Public entry of the npm package.

export { FrameStream } from "./api/frame-stream.js";
export { SordinoNode } from "./api/node.js";
export { SuppressedTrack, suppressTrack, type TrackOptions } from "./api/track.js";
export type { CustomModel } from "./assets/catalogue.js";
export { MODELS, type ModelName } from "./assets/catalogue.js";
export { type AssetUrls, supportedEngines } from "./assets/load.js";
export type { Fallback, Overrun, SordinoEventMap, Stats, TrackEventMap, Voice } from "./contract/events.js";
export type {
  Changes,
  LookAhead,
  OverrunPolicy,
  PostFilter,
  Preset,
  Schedule,
  SordinoOptions,
} from "./contract/options.js";
export type { StateChange, StreamState } from "./contract/states.js";
export { canUseFrames } from "./frames/breakout-box.js";
export type { FallbackStream } from "./frames/fallback-stream.js";
export { asSordinoError, SordinoError, type SordinoErrorCode } from "./protocol/errors.js";
export type { Counters, EngineName, Readout } from "./protocol/messages.js";
export { MICROPHONE, openMicrophone } from "./tracks/microphone.js";
