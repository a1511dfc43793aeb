// Page thread: raises what a system leaves until its speech is as loud as before: the louder of two sounds seems the better.

import type { Way } from "./way.js";

/** The ways that are raised, in the order of the processor's outputs. Its input 0 is the unchanged sound. */
const RAISED: readonly Way[] = ["sordino", "rnnoise", "gtcrn"];

/** How much each way is raised, or would be, dB. */
export type Raised = Partial<Record<Way, number>>;

export class LoudnessMatch {
  readonly #node: AudioWorkletNode;

  private constructor(context: BaseAudioContext, tell: (raised: Raised) => void) {
    this.#node = new AudioWorkletNode(context, "demo-loudness", {
      numberOfInputs: 1 + RAISED.length,
      numberOfOutputs: RAISED.length,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this.#node.port.onmessage = ({ data }: MessageEvent<Float64Array>) =>
      tell(Object.fromEntries(RAISED.map((way, index) => [way, data[index]!])));
  }

  /** tell  called a few times in a second while sound passes. rejects when the script does not arrive */
  static async start(context: BaseAudioContext, tell: (raised: Raised) => void): Promise<LoudnessMatch> {
    await context.audioWorklet.addModule(new URL("./loudness.js", import.meta.url));
    return new LoudnessMatch(context, tell);
  }

  /** Listen to a way and steer its level, whose own value is one. */
  adopt(way: Way, heard: AudioNode, level: AudioParam): void {
    const index = RAISED.indexOf(way);
    heard.connect(this.#node, 0, index + 1);
    if (index >= 0) this.#node.connect(level, index);
  }

  set on(on: boolean) {
    this.#node.port.postMessage({ type: "on", on });
  }

  /** Something else plays now. */
  reset(): void {
    this.#node.port.postMessage({ type: "reset" });
  }
}
