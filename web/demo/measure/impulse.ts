// Page thread: the latency, measured: an impulse through the same node in a graph of its own, and where it comes out.

import { type EngineName, type ModelName, SordinoNode } from "sordino";

const SAMPLE_RATE = 48_000;
const LENGTH = SAMPLE_RATE / 2;
const IMPULSE_AT = 4800;
const IMPULSE = 0.5;

/** Samples at 48 kHz from the input to the output, with nothing removed, so that the impulse comes through. */
export async function measureLatency(engine: EngineName, model: ModelName): Promise<number> {
  const context = new OfflineAudioContext(1, LENGTH, SAMPLE_RATE);
  const node = await SordinoNode.create(context, { engine, model, attenuationLimitDb: 0 });
  const buffer = new AudioBuffer({ length: LENGTH, sampleRate: SAMPLE_RATE });
  buffer.getChannelData(0)[IMPULSE_AT] = IMPULSE;
  const source = new AudioBufferSourceNode(context, { buffer });
  source.connect(node).connect(context.destination);
  source.start();
  const output = (await context.startRendering()).getChannelData(0);
  node.destroy();
  let peak = 0;
  for (let i = 0; i < output.length; i++) if (Math.abs(output[i]!) > Math.abs(output[peak]!)) peak = i;
  return peak - IMPULSE_AT;
}
