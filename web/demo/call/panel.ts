// Page thread: the panel that leads what plays through a call, before and after.

import { canListen } from "../../src/graph/voice-graph.js";
import type { AudioGraph } from "../hear/graph.js";
import type { Way } from "../hear/way.js";
import { body, element } from "../page/dom.js";
import { type CallFigures, Loopback } from "./loopback.js";

const WAYS: readonly Way[] = ["raw", "sordino"];
/** Older ones of Firefox play what a call brings at the rate of the loudspeaker only, as they do with a microphone. */
const OTHER_RATE =
  "This browser cannot lead a scene or a file through a call on this device. It can with your microphone.";

export class CallPanel {
  readonly #button = element<HTMLButtonElement>("#call-button");
  /** What the button says while there is no call. */
  readonly #idle = this.#button.textContent;
  readonly #graph: () => AudioGraph | undefined;
  #loopback: Loopback | undefined;
  #undo: (() => void)[] = [];

  /** graph  of the player, once something has been played */
  constructor(graph: () => AudioGraph | undefined) {
    this.#graph = graph;
    this.#button.addEventListener("click", () => void (this.#loopback ? this.hangUp() : this.#call()));
    this.#show(false);
  }

  hangUp(): void {
    for (const undo of this.#undo) undo();
    this.#undo = [];
    this.#loopback?.close();
    this.#loopback = undefined;
    this.#show(false);
    this.#say("The call has ended.");
  }

  async #call(): Promise<void> {
    const graph = this.#graph();
    if (!graph) {
      this.#say("Choose something to listen to first.");
      return;
    }
    if (!("RTCPeerConnection" in globalThis)) {
      this.#say("This browser has no WebRTC.");
      return;
    }
    this.#show(true);
    this.#say("Connecting…");
    const loopback = new Loopback();
    this.#loopback = loopback;
    try {
      await this.#connect(graph, loopback);
      if (this.#loopback !== loopback) return;
      this.#say("Connected. What you hear and see now has been through the call; the switch works as before.");
      body.call = "on";
    } catch (error) {
      if (this.#loopback !== loopback) return;
      this.hangUp();
      this.#say(error instanceof Error ? error.message : String(error));
    }
  }

  async #connect(graph: AudioGraph, loopback: Loopback): Promise<void> {
    const ends = WAYS.map((way) => {
      const end = new MediaStreamAudioDestinationNode(graph.context, { channelCount: 1 });
      graph.out(way).connect(end);
      this.#undo.push(() => graph.out(way).disconnect(end));
      return end;
    });
    const streams = await loopback.open(ends.map((end) => end.stream.getAudioTracks()[0]!));
    if (this.#loopback !== loopback) return;
    if (!streams.every((stream) => canListen(graph.context, stream.getAudioTracks()[0]!))) throw new Error(OTHER_RATE);
    for (const [index, stream] of streams.entries()) {
      this.#undo.push(graph.insert(WAYS[index]!, graph.context.createMediaStreamSource(stream)));
    }
    loopback.watch((figures) => this.#figures(figures));
  }

  #show(calling: boolean): void {
    this.#button.textContent = calling ? "Hang up" : this.#idle;
    element("#call-figures").hidden = !calling;
    if (!calling) body.call = "off";
  }

  #figures({ codec, bitsPerSecond, packetsReceived, packetsLost, jitterBufferMs }: CallFigures): void {
    element("#call-codec").textContent = codec;
    element("#call-rate").textContent = `${Math.round(bitsPerSecond / 1000)} kbit/s, two tracks`;
    element("#call-packets").textContent = `${packetsReceived} (${packetsLost} lost)`;
    element("#call-buffer").textContent = `${Math.round(jitterBufferMs)} ms`;
    body.packets = String(packetsReceived);
  }

  #say(text: string): void {
    element("#call-status").textContent = text;
  }
}
