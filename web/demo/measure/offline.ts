// Page thread: what a whole graph with Sordino costs, in the same way as the peers' is measured.

import { type EngineName, type ModelName, SordinoNode } from "sordino";
import { decodeProbe } from "../hear/peers.js";

/** Seconds of real time for a second of sound in a graph that does not wait. rejects SordinoError */
export async function costOfSordino(engine: EngineName, model: ModelName): Promise<number> {
  const buffer = await decodeProbe();
  const context = new OfflineAudioContext(1, buffer.length, buffer.sampleRate);
  const node = await SordinoNode.create(context, { engine, model });
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(node).connect(context.destination);
  source.start();
  const start = performance.now();
  await context.startRendering();
  const seconds = (performance.now() - start) / 1000;
  node.destroy();
  return seconds / buffer.duration;
}
