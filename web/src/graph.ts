// Page thread: an audio graph that always carries the voice: through a SordinoNode once there is one, else directly.
//
//   source -+-> SordinoNode -> wet gain -+-> destination
//           \-> dry gain ----------------/

import type { SordinoNode } from "./node.js";
import { SAMPLE_RATE } from "./params.js";

const FADE_S = 0.01;

/**
 * A context that can listen to a track: at the kernel's own rate, or at the device's where the browser converts none.
 * Firefox refuses tracks whose rate is not the context's.
 */
export function contextFor(track: MediaStreamTrack): AudioContext {
  const context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
  try {
    context.createMediaStreamSource(new MediaStream([track])).disconnect();
    return context;
  } catch {
    void context.close();
    return new AudioContext({ latencyHint: "interactive" });
  }
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

  /** Take the voice from another track, faded over. */
  listenTo(track: MediaStreamTrack): void {
    const node = this.context.createMediaStreamSource(new MediaStream([track]));
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
