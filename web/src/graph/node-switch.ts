// Page thread: dry/wet switch: cross-fades a node's output and the unprocessed input.
//
//   input -+-> SordinoNode -> wet gain -+-> output
//          \-> dry gain ---------------/

/** A node that is destroyed when the next one takes its place. */
export interface OwnedNode extends AudioNode {
  destroy(): void;
}

const FADE_S = 0.01;

/** Fade a gain to a value over 10 ms. */
export function fade({ context, gain }: GainNode, target: number): void {
  const now = context.currentTime;
  gain.cancelScheduledValues(now);
  gain.setValueAtTime(gain.value, now);
  gain.linearRampToValueAtTime(target, now + FADE_S);
}

/** Dry until it is given a node; every change cross-fades over 10 ms. */
export class NodeSwitch {
  readonly input: GainNode;
  readonly output: GainNode;
  readonly #dry: GainNode;
  readonly #wet: GainNode;
  #node: OwnedNode | undefined;

  constructor(context: BaseAudioContext) {
    this.input = new GainNode(context);
    this.output = new GainNode(context);
    this.#dry = new GainNode(context);
    this.#wet = new GainNode(context, { gain: 0 });
    this.input.connect(this.#dry).connect(this.output);
    this.#wet.connect(this.output);
  }

  /** Switch to a node's output, or to dry. Destroys the previous node. */
  use(node: OwnedNode | undefined): void {
    const old = this.#node;
    this.#node = node;
    if (node) this.input.connect(node).connect(this.#wet);
    fade(this.#dry, node ? 0 : 1);
    fade(this.#wet, node ? 1 : 0);
    old?.destroy();
  }

  close(): void {
    this.#node?.destroy();
    for (const gain of [this.input, this.#dry, this.#wet, this.output]) gain.disconnect();
  }
}
