// The page's own graph, listened to from inside: signals of its ways side by side, while the switch is flipped.

import { encode } from "./live.js";

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
  return new Promise((resolve) => {
    recorder.port.onmessage = ({ data }) => {
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
