// Runs the interchange file in onnxruntime-web on one thread, in parts, its states carried from part to part.

import * as ort from "/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs";

ort.env.wasm.wasmPaths = "/node_modules/onnxruntime-web/dist/";
ort.env.wasm.numThreads = 1;

const PAST = /_past$/;

/** Run the network over a sequence.
 *  model     address of the .onnx file
 *  features  one list of numbers per frame, normalised
 *  states    dimensions of every state input by name
 *  parts     numbers of frames to hand over at once
 *  returns   { gain, strength, voice }, each a flat list, frame after frame */
export async function runNetwork({ model, features, states, parts }) {
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  const carried = {};
  for (const [name, dimensions] of Object.entries(states)) {
    carried[name] = new ort.Tensor("float32", new Float32Array(dimensions.reduce((a, b) => a * b)), dimensions);
  }
  const result = { gain: [], strength: [], voice: [] };
  let start = 0;
  for (const frames of parts) {
    const part = features.slice(start, start + frames);
    const input = new ort.Tensor("float32", Float32Array.from(part.flat()), [frames, part[0].length]);
    const outputs = await session.run({ features: input, ...carried });
    for (const name of Object.keys(result)) result[name].push(...outputs[name].data);
    for (const name of Object.keys(carried)) carried[name] = outputs[name.replace(PAST, "_next")];
    start += frames;
  }
  await session.release();
  return result;
}
