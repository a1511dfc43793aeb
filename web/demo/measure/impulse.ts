// Page thread: the latency, measured: an impulse through the same node in a graph of its own, and where it comes out.

import { SordinoNode } from "sordino";
import type { Build } from "../hear/player.js";

const LENGTH_S = 0.5;
const IMPULSE_AT_S = 0.1;
const IMPULSE = 0.5;

/** Samples from the input to the output, with nothing removed, so that the impulse comes through. */
export async function measureLatency(build: Build, sampleRate: number): Promise<number> {
  const length = Math.round(LENGTH_S * sampleRate);
  const impulseAt = Math.round(IMPULSE_AT_S * sampleRate);
  const context = new OfflineAudioContext(1, length, sampleRate);
  const node = await SordinoNode.create(context, { ...build, attenuationLimitDb: 0 });
  const buffer = new AudioBuffer({ length, sampleRate });
  buffer.getChannelData(0)[impulseAt] = IMPULSE;
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(node).connect(context.destination);
  source.start();
  const output = (await context.startRendering()).getChannelData(0);
  node.destroy();
  let peak = 0;
  for (let i = 0; i < output.length; i++) if (Math.abs(output[i]!) > Math.abs(output[peak]!)) peak = i;
  return peak - impulseAt;
}
