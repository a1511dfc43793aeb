// Page thread: the audio graph of the page. All ways through it take the same time, so switching between them is seamless.
//
//   input -+-> delay ----------------> raw.out ------------> fade -+-> mix -> volume -> loudspeaker
//          +-> SordinoNode -> delay -> sordino.out -> level -> fade -+
//          \-> a peer's node -> delay -> its out --> level -> fade -/
//
// Two analysers look at raw.out and at the out of what cleans; a call goes between an out and what listens to it. What is
// recorded is an out; the level only matches the loudness for the ear.

import { LoudnessMatch, type Raised } from "./loudness.js";
import type { Way } from "./way.js";

/** Ramps of two aligned signals add up to one, so the level does not dip. */
const FADE_S = 0.01;
/** Fades are ordered so long before they begin, so that those of all lanes begin in the same quantum. */
const AHEAD_S = 0.02;
const MAX_LATENCY_S = 0.5;
/** What SordinoNode takes at 48 kHz in quanta of 128: until it says so itself, the raw way waits that long. */
const EXPECTED_LATENCY_S = 1888 / 48_000;

/** One way, with everything behind its delay. */
class Lane {
  readonly delay: DelayNode;
  /** Aligned with all other lanes. */
  readonly out: GainNode;
  /** The same, or what a call has made of it. */
  readonly heard: GainNode;
  /** One, and what the loudness match adds. */
  readonly level: GainNode;
  readonly fade: GainNode;
  node: AudioNode | undefined;
  latencySamples = 0;

  constructor(context: BaseAudioContext, mix: AudioNode) {
    this.delay = new DelayNode(context, { maxDelayTime: MAX_LATENCY_S });
    this.out = new GainNode(context);
    this.heard = new GainNode(context);
    this.level = new GainNode(context);
    this.fade = new GainNode(context, { gain: 0 });
    this.delay.connect(this.out).connect(this.heard).connect(this.level).connect(this.fade).connect(mix);
  }
}

export class AudioGraph {
  readonly context: AudioContext;
  readonly input: GainNode;
  /** What is heard, before the volume. */
  readonly mix: GainNode;
  readonly #volume: GainNode;
  readonly #lanes = new Map<Way, Lane>();
  readonly #looks: { readonly before: AnalyserNode; readonly after: AnalyserNode };
  readonly #expectedSamples: number;
  #latencySamples: number;
  #match: LoudnessMatch | undefined;
  #listening: Way = "raw";
  #cleaner: Way = "sordino";

  /** looks  the analysers that draw what comes in and what the chosen system makes of it */
  constructor(context: AudioContext, looks: { readonly before: AnalyserNode; readonly after: AnalyserNode }) {
    this.context = context;
    this.#expectedSamples = Math.round(EXPECTED_LATENCY_S * context.sampleRate);
    this.#latencySamples = this.#expectedSamples;
    this.#looks = looks;
    this.input = new GainNode(context);
    this.mix = new GainNode(context);
    this.#volume = new GainNode(context, { gain: 0 });
    this.mix.connect(this.#volume).connect(context.destination);
    const raw = this.#lane("raw");
    raw.heard.connect(looks.before);
    this.input.connect(raw.delay);
    this.#align();
    raw.fade.gain.value = 1;
  }

  /** Samples from the input to every out. */
  get latencySamples(): number {
    return this.#latencySamples;
  }

  /** Put a system into its lane, in the place of the node that was there. latencySamples: what its node takes. */
  attach(way: Way, node: AudioNode, latencySamples: number): void {
    const lane = this.#lane(way);
    if (lane.node) {
      disconnect(this.input, lane.node);
      disconnect(lane.node, lane.delay);
    }
    lane.node = node;
    lane.latencySamples = latencySamples;
    this.input.connect(node);
    node.connect(lane.delay);
    this.#align();
    if (way === this.#cleaner) this.clean(way);
    this.listen(this.#listening);
  }

  has(way: Way): boolean {
    return way === "raw" || this.#lanes.get(way)?.node !== undefined;
  }

  /** The aligned signal of a lane. */
  out(way: Way): AudioNode {
    return this.#lane(way).out;
  }

  /** Which system "clean" means: the picture after, and what the switch goes to. */
  clean(way: Way): void {
    this.#cleaner = way;
    for (const lane of this.#lanes.values()) disconnect(lane.heard, this.#looks.after);
    this.#lane(way).heard.connect(this.#looks.after);
  }

  /** Hear this way. One that is not there yet is heard as soon as it is; until then the sound stays as it is. */
  listen(way: Way): void {
    this.#listening = way;
    const audible = this.has(way) ? way : "raw";
    const now = this.context.currentTime;
    const begin = now + AHEAD_S;
    for (const [name, { fade }] of this.#lanes) {
      const target = name === audible ? 1 : 0;
      fade.gain.cancelScheduledValues(now);
      fade.gain.setValueAtTime(fade.gain.value, begin);
      fade.gain.linearRampToValueAtTime(target, begin + FADE_S);
    }
  }

  /** Raise every cleaned way until its speech is as loud as before. rejects when the script for it does not arrive */
  async matchLoudness(tell: (raised: Raised) => void): Promise<LoudnessMatch> {
    const match = await LoudnessMatch.start(this.context, tell);
    this.#match = match;
    for (const [way, lane] of this.#lanes) match.adopt(way, lane.heard, lane.level.gain);
    return match;
  }

  /** Something else plays now: what was found out about its loudness is forgotten. */
  forget(): void {
    this.#match?.reset();
  }

  set audible(audible: boolean) {
    this.#volume.gain.setTargetAtTime(audible ? 1 : 0, this.context.currentTime, FADE_S);
  }

  /** Lead a lane through something else, such as a call. Returns how to undo it. */
  insert(way: Way, back: AudioNode): () => void {
    const lane = this.#lane(way);
    lane.out.disconnect(lane.heard);
    back.connect(lane.heard);
    return () => {
      back.disconnect();
      lane.out.connect(lane.heard);
    };
  }

  #lane(way: Way): Lane {
    let lane = this.#lanes.get(way);
    if (!lane) {
      lane = new Lane(this.context, this.mix);
      this.#lanes.set(way, lane);
      this.#match?.adopt(way, lane.heard, lane.level.gain);
    }
    return lane;
  }

  /** Every lane waits for the slowest. */
  #align(): void {
    const lanes = [...this.#lanes.values()].filter((lane) => lane.node !== undefined);
    this.#latencySamples = Math.max(this.#expectedSamples, ...lanes.map((lane) => lane.latencySamples));
    for (const lane of this.#lanes.values()) {
      lane.delay.delayTime.value = (this.#latencySamples - lane.latencySamples) / this.context.sampleRate;
    }
  }
}

/** Web Audio throws where there is no such connection. */
function disconnect(from: AudioNode, to: AudioNode): void {
  try {
    from.disconnect(to);
  } catch {
    // It was not connected: nothing to do.
  }
}
