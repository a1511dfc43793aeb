// Offline audio graphs: golden signals and impulses through the npm package's AudioWorklet node.

import { SordinoNode } from "/dist/sordino.js";
import { compareSamples, fetchSamples, sha256 } from "./kernel.js";

const RATE = 48000;

/** WebKit's rendering thread only tries its locks: where the page holds one, it leaves a quantum of a source out, and a
 *  node hears something else than the samples. So the sources are rendered beside the nodes, and once more if need be. */
const RENDERINGS = 4;

/** What fresh nodes of one context make of samples, a node for each part.
 *  parts  [Float32Array] of equal length; options for SordinoNode.create
 *  returns { outputs: as parts, nodes, memoryBytes }
 *  throws  if a node failed, or the browser never played the samples whole */
async function renderParts(parts, options) {
  for (let rendering = 0; rendering < RENDERINGS; rendering++) {
    const context = new OfflineAudioContext(2 * parts.length, parts[0].length, RATE);
    const merger = new ChannelMergerNode(context, { numberOfInputs: 2 * parts.length });
    merger.connect(context.destination);
    const nodes = await Promise.all(parts.map(() => SordinoNode.create(context, options)));
    const failures = [];
    for (const [i, node] of nodes.entries()) {
      node.addEventListener("error", (event) => failures.push(event.message));
      const buffer = new AudioBuffer({ length: parts[i].length, sampleRate: RATE });
      buffer.copyToChannel(parts[i], 0);
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(node).connect(merger, 0, 2 * i);
      source.connect(merger, 0, 2 * i + 1);
      source.start();
    }
    const rendered = await context.startRendering();
    if (failures.length > 0) throw new Error(failures.join("; "));
    const played = (i) => compareSamples(rendered.getChannelData(2 * i + 1), parts[i]).differing === 0;
    const { memoryBytes } = (await nodes.at(-1).read()).stats;
    if (parts.every((_, i) => played(i)))
      return { outputs: parts.map((_, i) => rendered.getChannelData(2 * i)), nodes, memoryBytes };
  }
  throw new Error(`the browser lost samples of a source in each of ${RENDERINGS} renderings`);
}

/** The same for one node. samples Float32Array; returns { output, latency in samples, engine } */
async function render(samples, options) {
  const { outputs, nodes } = await renderParts([samples], options);
  return { output: outputs[0], latency: nodes[0].latency.samples, engine: nodes[0].engine };
}

/** Golden signals through the worklet against the kernel's own output, which the worklet delays by re-blocking.
 *  signals  [{ input, output }] addresses of float32 samples; delay in samples; options for SordinoNode.create
 *  returns  { latency, engine, reports: per signal { sha256, samples, differing, first } } */
export async function renderGolden({ signals, delay, options }) {
  const answer = { reports: [] };
  for (const { input, output } of signals) {
    const samples = await fetchSamples(input);
    const kernel = await fetchSamples(output);
    const wanted = new Float32Array(samples.length);
    wanted.set(kernel.subarray(0, samples.length - delay), delay);
    const got = await render(samples, options);
    answer.latency = got.latency;
    answer.engine = got.engine;
    answer.reports.push({ sha256: await sha256(got.output), ...compareSamples(got.output, wanted) });
  }
  return answer;
}

/** Nodes side by side in one context, each with its own part of the samples, against each in a context of its own.
 *  input address of float32 samples; streams; length of a part; options and those of the nodes alone; headStarts:
 *  samples of silence that the nodes alone may have heard before
 *  returns { latency: [together, alone], memoryBytes of all nodes, headStarts: per node, of those the one with which
 *  it gives the samples of a node alone, once that is delayed as the latencies say; null if none does } */
export async function renderTogether({ input, streams, length, options, alone, headStarts }) {
  const samples = await fetchSamples(input);
  const parts = Array.from({ length: streams }, (_, i) => samples.slice(i * length, (i + 1) * length));
  const { outputs, nodes, memoryBytes } = await renderParts(parts, options);
  const answer = { memoryBytes, headStarts: [] };
  for (let i = 0; i < streams; i++) {
    const found = outputs[i];
    const likely = i % headStarts.length;
    answer.headStarts.push(null);
    for (const headStart of [...headStarts.slice(likely), ...headStarts.slice(0, likely)]) {
      const heard = new Float32Array(headStart + length);
      heard.set(parts[i], headStart);
      const single = await render(heard, alone);
      answer.latency = [nodes[i].latency.samples, single.latency];
      const delay = answer.latency[0] - answer.latency[1];
      const wanted = new Float32Array(length);
      wanted.set(single.output.subarray(headStart, headStart + length - delay), delay);
      answer.loudest = Math.max(answer.loudest ?? 0, ...wanted.subarray(length - RATE / 4));
      if (compareSamples(found, wanted).differing > 0) continue;
      answer.headStarts[i] = headStart;
      break;
    }
  }
  return answer;
}

/** Where the largest output sample lies when a single sample at `position` goes in.
 *  returns { delay, latency } measured and reported, in samples */
export async function measureLatency({ position, length, options }) {
  const samples = new Float32Array(length);
  samples[position] = 1;
  const { output, latency } = await render(samples, options);
  let peak = 0;
  for (let i = 0; i < length; i++) if (Math.abs(output[i]) > Math.abs(output[peak])) peak = i;
  return { delay: peak - position, latency };
}
