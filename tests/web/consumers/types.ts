// Compiled, never run: the adapters have the types that the platforms' own packages want.

import type { HMSAudioPlugin } from "@100mslive/hms-video-store";
import type { AudioProcessor } from "@twilio/voice-sdk";
import type { AudioProcessorOptions, LocalAudioTrack, Track, TrackProcessor } from "livekit-client";
import {
  MODELS,
  type ModelName,
  type Overrun,
  SordinoNode,
  type SordinoOptions,
  type SuppressedTrack,
  suppressTrack,
} from "sordino";
import { SordinoPlugin } from "sordino/100ms";
import { SordinoEffect } from "sordino/jitsi";
import { SordinoProcessor } from "sordino/livekit";
import { SordinoAudioProcessor } from "sordino/twilio";
import { suppressSender } from "sordino/webrtc";

/** Jitsi publishes no such type; this is what lib-jitsi-meet's JitsiLocalTrack.setEffect asks for. */
interface StreamEffect {
  isEnabled(track: { isAudioTrack(): boolean }): boolean;
  startEffect(stream: MediaStream): MediaStream;
  stopEffect(): void;
}

const options: SordinoOptions = { preset: "strong", channels: 2 };
export const livekit: TrackProcessor<Track.Kind.Audio, AudioProcessorOptions> = new SordinoProcessor(options);
export const twilio: AudioProcessor = new SordinoAudioProcessor(options);
export const hms: HMSAudioPlugin = new SordinoPlugin(options);
export const jitsi: StreamEffect = new SordinoEffect(options);
export const publish = (track: LocalAudioTrack): Promise<void> => track.setProcessor(new SordinoProcessor());
export const told = ({ latency, voice }: SuppressedTrack): number[] => [latency.samples, latency.seconds, voice];

export async function graph(context: AudioContext, track: MediaStreamTrack, sender: RTCRtpSender): Promise<AudioNode> {
  const node = await SordinoNode.create(context, options);
  node.addEventListener("voice", ({ detail }) => detail.probability.toFixed(2));
  node.addEventListener("fallback", ({ detail }) => detail.retry());
  const suppressed = await suppressTrack(track, { path: "frames", model: MODELS[0] as ModelName });
  const onOverrun = ({ detail }: CustomEvent<Overrun>): boolean => detail.model === node.model;
  suppressed.addEventListener("overrun", onOverrun);
  suppressed.removeEventListener("overrun", onOverrun);
  suppressed.addEventListener("error", ({ error }) => error.code);
  suppressed.update({ preset: "conservative" });
  await suppressed.setModel("tiny");
  // @ts-expect-error: no model of this name ships
  await node.setModel("huge");
  await suppressSender(sender);
  return node;
}
