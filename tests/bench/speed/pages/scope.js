// Page: many SordinoNodes in one AudioWorklet scope, offline (back to back) or live (paced by the sound device).

import { SordinoNode } from "/dist/sordino.js";

const RATE = 48000;
const POLL_MS = 20;
/** A live context gets so many times the seconds that it should need, and no more. */
const PATIENCE = 4;
let clip;
const prepared = new Map();

async function clipSource(context) {
  clip ??= new Float32Array(await (await fetch("/out/clip.f32")).arrayBuffer());
  const buffer = new AudioBuffer({ length: clip.length, sampleRate: RATE });
  buffer.copyToChannel(clip, 0);
  return new AudioBufferSourceNode(context, { buffer, loop: true });
}

/**
 * Make a context that stands still, with nodes of one channel that will begin to hear at the same moment: so their hops
 * would end in the same quantum, did they not take turns.
 *
 * name     run() and dispose() call it so
 * returns  { createMs per node, memoryBytes of the wasm memory that they share, latency in samples }
 */
export async function prepare({ name, streams, schedule, live, seconds }) {
  const context = live ? new AudioContext({ sampleRate: RATE }) : new OfflineAudioContext(1, seconds * RATE, RATE);
  if (live) await context.suspend();
  const source = await clipSource(context);
  const begin = performance.now();
  const nodes = [];
  for (let i = 0; i < streams; i++) {
    nodes.push(await SordinoNode.create(context, { schedule, channels: 1, overrunPolicy: "ignore" }));
  }
  const createMs = (performance.now() - begin) / streams;
  for (const node of nodes) source.connect(node).connect(context.destination);
  source.start();
  const { memoryBytes } = (await nodes.at(-1).read()).stats;
  prepared.set(name, { context, nodes });
  return { createMs, memoryBytes, latency: nodes[0].latency.samples };
}

/** Let what was prepared run for so many seconds of sound; what is live may run again. Live: pace, seconds of sound per
 *  second, and underruns, as far as the browser counts these. */
export async function run({ name, live, seconds }) {
  const { context } = prepared.get(name);
  if (!live) {
    await context.startRendering();
    return {};
  }
  const from = context.currentTime;
  const before = context.playbackStats?.underrunEvents ?? 0;
  const begin = performance.now();
  await context.resume();
  while (context.currentTime < from + seconds && performance.now() - begin < PATIENCE * 1000 * seconds) {
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
  const pace = (1000 * (context.currentTime - from)) / (performance.now() - begin);
  const underruns = (context.playbackStats?.underrunEvents ?? 0) - before;
  await context.suspend();
  return { pace, underruns };
}

/** Give up what was prepared. */
export async function dispose({ name, live }) {
  const { context, nodes } = prepared.get(name);
  prepared.delete(name);
  for (const node of nodes) node.destroy();
  if (live) await context.close();
}
