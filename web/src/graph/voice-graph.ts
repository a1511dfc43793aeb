// Page thread: audio graph from a source track to the cleaned track, with a dry/wet switch in between.
//
//   source -> fade-in gain -> dry/wet switch -> destination

import { SordinoError } from "../protocol/errors.js";
import { SAMPLE_RATE } from "../protocol/params.js";
import { fade, NodeSwitch, type OwnedNode } from "./node-switch.js";
import { keepFlowing } from "./remote-track.js";

/** Disconnect a replaced source after its fade-out. */
const LEAVE_MS = 100;

/** Rates of microphones that a browser might run a track at, besides the kernel's and the output device's. */
const MORE_RATES = [44_100, 32_000, 16_000, 8_000, 96_000];

/** The connected source track. */
interface Source {
  readonly node: MediaStreamAudioSourceNode;
  readonly gain: GainNode;
  /** Stops the media element of a remote track. */
  readonly release: () => void;
}

/** A source node of a track. throws SordinoError "sample-rate" where the browser does not convert the track's rate */
function sourceNode(context: AudioContext, track: MediaStreamTrack): MediaStreamAudioSourceNode {
  try {
    return context.createMediaStreamSource(new MediaStream([track]));
  } catch (cause) {
    const message = `this browser does not play the track in a context of ${context.sampleRate} Hz: ${cause}`;
    throw new SordinoError("sample-rate", message, cause);
  }
}

/** Whether a context can listen to a track. */
export function canListen(context: AudioContext, track: MediaStreamTrack): boolean {
  if (context.state === "closed") return false;
  try {
    sourceNode(context, track).disconnect();
    return true;
  } catch {
    return false;
  }
}

/**
 * A context that can listen to a track: at the kernel's own rate, or at the track's where the browser converts none, as
 * in Firefox. Of a track nobody tells that rate; a microphone's is mostly that of the output device.
 *
 * throws  SordinoError "unsupported"
 */
export function contextFor(track: MediaStreamTrack): AudioContext {
  if (typeof AudioContext === "undefined") throw new SordinoError("unsupported", "there is no AudioContext here");
  for (const sampleRate of [SAMPLE_RATE, undefined, ...MORE_RATES]) {
    let context: AudioContext;
    try {
      context = new AudioContext({ latencyHint: "interactive", ...(sampleRate && { sampleRate }) });
    } catch (cause) {
      throw new SordinoError("unsupported", `the browser gives no AudioContext: ${cause}`, cause);
    }
    if (canListen(context, track)) return context;
    void context.close().catch(() => undefined);
  }
  throw new SordinoError("unsupported", "no AudioContext of this browser can listen to the track");
}

/** Source -> destination, through a node once there is one. The source may be replaced. */
export class VoiceGraph {
  readonly context: AudioContext;
  readonly #destination: MediaStreamAudioDestinationNode;
  readonly #nodeSwitch: NodeSwitch;
  #source: Source | undefined;

  constructor(context: AudioContext, channels: number) {
    this.context = context;
    this.#destination = new MediaStreamAudioDestinationNode(context, { channelCount: channels });
    this.#nodeSwitch = new NodeSwitch(context);
    this.#nodeSwitch.output.connect(this.#destination);
  }

  get cleaned(): MediaStreamTrack {
    return this.#destination.stream.getAudioTracks()[0]!;
  }

  /** Cross-fade to another source. throws SordinoError "sample-rate", and the old source stays */
  listenTo(track: MediaStreamTrack): void {
    const node = sourceNode(this.context, track);
    const gain = new GainNode(this.context, { gain: 0 });
    node.connect(gain).connect(this.#nodeSwitch.input);
    const old = this.#source;
    this.#source = { node, gain, release: keepFlowing(track) };
    fade(gain, 1);
    if (old) this.#leave(old);
  }

  /** Route the signal through a node, or past it. */
  use(node: OwnedNode | undefined): void {
    this.#nodeSwitch.use(node);
  }

  close(): void {
    this.#source?.node.disconnect();
    this.#source?.gain.disconnect();
    this.#source?.release();
    this.#nodeSwitch.close();
    this.cleaned.stop();
  }

  #leave({ node, gain, release }: Source): void {
    fade(gain, 0);
    setTimeout(() => {
      gain.disconnect();
      node.disconnect();
      release();
    }, LEAVE_MS);
  }
}
