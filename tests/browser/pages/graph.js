// The page's own graph, listened to from inside: signals of its ways side by side, while the switch is flipped; and
// another graph of its kind that renders what the listener hears without waiting for the clock.

import { encode } from "./live.js";

const RATE = 48_000;
/** What the page's peers are replaced by: a system that takes so much of everything. */
const KNOWN_LOSS = 0.7;
const ROOM_FOR_LATENCY = 4096;

/** Samples that are recorded before a flip and after it. */
const AROUND_FLIP = 8192;

/**
 * Record some of the page's signals in step.
 *
 * ways     names of ways ("raw", "sordino", ...) or "mix", which is what is heard
 * samples  how many to record at least
 * flips    how often to flip the page's switch meanwhile
 * returns  base64 of float32 per way
 */
export async function recordWays({ ways, samples, flips }) {
  const { graph } = globalThis.player;
  const { context } = graph;
  await context.audioWorklet.addModule("/pages/recorder.worklet.js");
  const recorder = new AudioWorkletNode(context, "recorder", {
    numberOfInputs: ways.length,
    numberOfOutputs: 1,
    channelCount: 1,
    channelCountMode: "explicit",
  });
  const nodes = ways.map((way) => (way === "mix" ? graph.mix : graph.out(way)));
  for (const [input, node] of nodes.entries()) node.connect(recorder, 0, input);
  recorder.connect(context.destination);
  const parts = await collect(recorder, samples, flips);
  for (const node of nodes) node.disconnect(recorder);
  recorder.disconnect();
  return ways.map((_, input) => encode(joined(parts.map((part) => part[input]))));
}

/** What the recorder hands over, until it is enough and the switch was flipped often enough. */
function collect(recorder, samples, flips) {
  const parts = [];
  let filled = 0;
  let flipped = 0;
  let nextFlip = AROUND_FLIP;
  let connected = false;
  return new Promise((resolve) => {
    recorder.port.onmessage = ({ data }) => {
      // The connections are made one by one, so in the first quanta an input may still be missing.
      if (!connected) {
        connected = true;
        return;
      }
      parts.push(...data);
      for (const [first] of data) filled += first.length;
      if (filled < nextFlip) return;
      nextFlip = filled + AROUND_FLIP;
      if (flipped < flips) {
        document.querySelector("#switch").click();
        flipped += 1;
      } else if (filled >= samples) resolve(parts);
    };
  });
}

function joined(parts) {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * What is heard of a scene.
 *
 * scene    name
 * loops    how often it is played
 * way      "raw", "sordino", or "rnnoise", which here is a gain of KNOWN_LOSS
 * matched  whether the loudness is
 * returns  { heard, source } base64 of float32, and latency in samples
 */
export async function renderHeard({ scene, loops, way, matched }) {
  const { SordinoNode } = await import("/demo/sordino/sordino.js");
  const file = await (await fetch(`/demo/clips/${scene}.ogg`)).arrayBuffer();
  const buffer = await globalThis.player.context.decodeAudioData(file);
  const context = new OfflineAudioContext(1, loops * buffer.length + ROOM_FOR_LATENCY, RATE);
  const looks = { before: new AnalyserNode(context), after: new AnalyserNode(context) };
  const graph = new globalThis.player.graph.constructor(context, looks);
  const match = await graph.matchLoudness(() => undefined);
  match.on = matched;
  const node = await SordinoNode.create(context);
  graph.attach("sordino", node, node.latency.samples);
  graph.attach("rnnoise", new GainNode(context, { gain: KNOWN_LOSS }), 0);
  graph.listen(way);
  graph.audible = true;
  const source = new AudioBufferSourceNode(context, { buffer, loop: true });
  source.connect(graph.input);
  source.start();
  const rendered = await context.startRendering();
  node.destroy();
  return {
    heard: encode(rendered.getChannelData(0)),
    source: encode(buffer.getChannelData(0)),
    latency: graph.latencySamples,
  };
}
