// Page thread: noise suppression for a MediaStreamTrack, for everything that sends tracks rather than audio nodes.

import { SordinoError } from "./errors.js";
import { SordinoNode } from "./node.js";
import type { SordinoOptions } from "./options.js";
import { SAMPLE_RATE } from "./params.js";

export interface TrackOptions extends SordinoOptions {
  /** Use this context (48000 Hz) rather than a new one. It is not closed by stop(). */
  readonly context?: AudioContext;
}

export interface SuppressedTrack {
  /** The cleaned track: give this one to the peer connection. */
  readonly track: MediaStreamTrack;
  readonly node: SordinoNode;
  /** End the cleaned track and free everything. The track that was given is left as it is. */
  stop(): void;
}

/**
 * Clean an audio track.
 *
 * track    a live audio track, e.g. of a microphone opened with noiseSuppression and autoGainControl off
 * returns  its cleaned twin (mono). When the given track ends, the twin is stopped too. Browsers start a new context
 *          suspended unless the user has clicked on the page or granted the microphone; it resumes by itself then.
 * rejects  SordinoError, as SordinoNode.create does
 */
export async function suppressTrack(track: MediaStreamTrack, options: TrackOptions = {}): Promise<SuppressedTrack> {
  if (track.kind !== "audio") throw new SordinoError("option", `the track is of kind "${track.kind}"; wanted "audio"`);
  const context = options.context ?? new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
  const undo: (() => void)[] = [];
  if (context !== options.context) undo.push(() => void context.close());
  const stop = (): void => {
    for (const step of undo.splice(0).reverse()) step();
  };
  try {
    const node = await SordinoNode.create(context, options);
    undo.push(() => node.destroy());
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    source.connect(node).connect(destination);
    const cleaned = destination.stream.getAudioTracks()[0]!;
    track.addEventListener("ended", stop);
    undo.push(() => {
      track.removeEventListener("ended", stop);
      source.disconnect();
      cleaned.stop();
    });
    void context.resume();
    return { track: cleaned, node, stop };
  } catch (error) {
    stop();
    throw error;
  }
}
