// Compiled, never run: every sub-path has its types, whatever way a project's compiler looks for them.

import { type SordinoErrorCode, type StreamState, suppressTrack } from "sordino";
import { SordinoPlugin } from "sordino/100ms";
import { SordinoEffect } from "sordino/jitsi";
import { SordinoProcessor } from "sordino/livekit";
import { SordinoAudioProcessor } from "sordino/twilio";
import { suppressSender } from "sordino/webrtc";

export const made = [new SordinoPlugin(), new SordinoEffect(), new SordinoProcessor(), new SordinoAudioProcessor()];
export const codes: SordinoErrorCode[] = ["memory", "stalled"];
export const states: StreamState[] = ["no-input", "muted"];
// @ts-expect-error: no such name, so it is no "any" either
export const wrong = suppressTrack.nothing;
// @ts-expect-error: as above
export const wrongToo = suppressSender.nothing;
