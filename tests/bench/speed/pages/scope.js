// Page: many SordinoNodes in one AudioWorklet scope, offline (back to back) or live (paced by the sound device).

import { SordinoNode } from "/dist/sordino.js";

const RATE = 48000;
let clip;
let prepared;

async function clipSource(context) {
  clip ??= new Float32Array(await (await fetch("/out/clip.f32")).arrayBuffer());
  const buffer = new AudioBuffer({ length: clip.length, sampleRate: RATE });
  buffer.copyToChannel(clip, 0);
  return new AudioBufferSourceNode(context, { buffer, loop: true });
}

/**
 * Make a context that stands still, with nodes of one channel that will begin to hear at the same moment: so their hops
 * end in the same quantum, which is the dearest case.
 *
 * returns  { createMs per node, memoryBytes of the wasm memory that they share, latency in samples }
 */
export async function prepare({ streams, schedule, live, seconds }) {
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
  prepared = { context, nodes };
  return { createMs, memoryBytes, latency: nodes[0].latency.samples };
}

/** Let what was prepared run for so many seconds of sound. Live: pace, seconds of sound per second, and underruns, as far
 *  as the browser counts these. */
export async function run({ live, seconds }) {
  const { context, nodes } = prepared;
  const answer = {};
  if (live) {
    const from = context.currentTime;
    const begin = performance.now();
    await context.resume();
    while (context.currentTime < from + seconds) await new Promise((done) => setTimeout(done, 20));
    const { underrunEvents, underrunDuration } = context.playbackStats ?? {};
    const pace = (1000 * (context.currentTime - from)) / (performance.now() - begin);
    Object.assign(answer, { pace, underrunEvents, underrunDuration });
    await context.suspend();
  } else {
    await context.startRendering();
  }
  for (const node of nodes) node.destroy();
  if (live) await context.close();
  return answer;
}
