// Page thread: an audio graph that always carries the voice: through a SordinoNode once there is one, else directly.
//
//   source -+-> SordinoNode -> wet gain -+-> destination
//           \-> dry gain ----------------/

import { SordinoError } from "./errors.js";
import type { SordinoNode } from "./node.js";
import { SAMPLE_RATE } from "./params.js";

const FADE_S = 0.01;

/** Rates of microphones that a browser might run a track at, besides the kernel's and the output device's. */
const MORE_RATES = [44_100, 32_000, 16_000, 8_000, 96_000];

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

/** Two ways from the source to the destination, and the fade between them. */
export class VoiceGraph {
  readonly context: AudioContext;
  readonly cleaned: MediaStreamTrack;
  readonly #destination: MediaStreamAudioDestinationNode;
  readonly #dry: GainNode;
  readonly #wet: GainNode;
  #source: { node: MediaStreamAudioSourceNode; gain: GainNode } | undefined;
  #node: SordinoNode | undefined;

  constructor(context: AudioContext, channels: number) {
    this.context = context;
    this.#destination = new MediaStreamAudioDestinationNode(context, { channelCount: channels });
    this.#dry = new GainNode(context);
    this.#wet = new GainNode(context, { gain: 0 });
    this.#dry.connect(this.#destination);
    this.#wet.connect(this.#destination);
    this.cleaned = this.#destination.stream.getAudioTracks()[0]!;
  }

  /** Take the voice from another track, faded over. throws SordinoError "sample-rate", and the old track stays */
  listenTo(track: MediaStreamTrack): void {
    const node = sourceNode(this.context, track);
    const gain = new GainNode(this.context, { gain: 0 });
    node.connect(gain).connect(this.#dry);
    if (this.#node) gain.connect(this.#node);
    const old = this.#source;
    this.#source = { node, gain };
    this.#fade(gain, 1);
    if (old) this.#leave(old.gain, () => old.node.disconnect());
  }

  /** Send the voice through a node, or directly again. */
  use(node: SordinoNode | undefined): void {
    const old = this.#node;
    this.#node = node;
    if (node) {
      this.#source?.gain.connect(node);
      node.connect(this.#wet);
    }
    this.#fade(this.#dry, node ? 0 : 1);
    this.#fade(this.#wet, node ? 1 : 0);
    old?.destroy();
  }

  close(): void {
    this.#node?.destroy();
    this.#source?.node.disconnect();
    for (const node of [this.#source?.gain, this.#dry, this.#wet]) node?.disconnect();
    this.cleaned.stop();
  }

  #fade(gain: GainNode, target: number): void {
    const now = this.context.currentTime;
    gain.gain.cancelScheduledValues(now);
    gain.gain.setValueAtTime(gain.gain.value, now);
    gain.gain.linearRampToValueAtTime(target, now + FADE_S);
  }

  #leave(gain: GainNode, then: () => void): void {
    this.#fade(gain, 0);
    setTimeout(
      () => {
        gain.disconnect();
        then();
      },
      10 * 1000 * FADE_S,
    );
  }
}
