// Other suppressors from npm, each loaded by its own package's code: import names of Emscripten modules differ from build
// to build, and a stub for the wrong one gives silence at splendid speed.

import { fetchBytes, HOP } from "./sordino.js";

const QUANTUM = 128;
const FULL_SCALE = 32768;

/** The memory of the module that a package instantiates while `load` runs. */
async function withMemory(load) {
  const original = WebAssembly.instantiate;
  let memory;
  WebAssembly.instantiate = async (...parameters) => {
    const result = await original.apply(WebAssembly, parameters);
    const { exports } = result.instance ?? result;
    memory ??= Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
    return result;
  };
  try {
    return { system: await load(), memoryBytes: () => memory?.buffer.byteLength ?? 0 };
  } finally {
    WebAssembly.instantiate = original;
  }
}

/** An AudioWorkletProcessor outside its scope, in quanta of 128 samples; what does not fill a quantum waits. */
async function startWorklet({ script, wasm }) {
  const wasmBinary = (await fetchBytes(wasm)).buffer;
  let Processor;
  globalThis.sampleRate = 48000;
  globalThis.AudioWorkletProcessor = class {
    port = { addEventListener() {}, postMessage() {}, start() {} };
  };
  globalThis.registerProcessor = (_, registered) => {
    Processor = registered;
  };
  await import(script);
  const begin = performance.now();
  const node = new Processor({ processorOptions: { wasmBinary, maxChannels: 1 } });
  while (!node.processor) await new Promise((done) => setTimeout(done, 1));
  const input = new Float32Array(QUANTUM);
  const output = new Float32Array(QUANTUM);
  const inputs = [[input]];
  const outputs = [[output]];
  let filled = 0;
  let position = 0;
  const startMs = performance.now() - begin;
  const process = (from, to) => {
    for (let at = 0; at < from.length; ) {
      const part = Math.min(QUANTUM - filled, from.length - at);
      input.set(from.subarray(at, at + part), filled);
      to.set(output.subarray(filled, filled + part), at);
      filled += part;
      at += part;
      if (filled < QUANTUM) continue;
      node.process(inputs, outputs, {});
      filled = 0;
      position += QUANTUM;
    }
  };
  return { process, startMs, position: () => position };
}

/** RNNoise's C interface in an Emscripten module that carries its binary in the script. */
async function startRnnoise({ script }) {
  const begin = performance.now();
  const { default: create } = await import(script);
  const module = create();
  await module.ready;
  const state = module._rnnoise_create();
  const address = module._malloc(4 * HOP);
  const process = (from, to) => {
    const frame = module.HEAPF32.subarray(address / 4, address / 4 + HOP);
    for (let at = 0; at < from.length; at += HOP) {
      for (let i = 0; i < HOP; i++) frame[i] = from[at + i] * FULL_SCALE;
      module._rnnoise_process_frame(state, address, address);
      for (let i = 0; i < HOP; i++) to[at + i] = frame[i] / FULL_SCALE;
    }
  };
  process(new Float32Array(HOP), new Float32Array(HOP));
  return { process, startMs: performance.now() - begin, bytes: () => module.HEAPF32.buffer.byteLength };
}

/** Our own network, without the signal processing around it, frame by frame in onnxruntime-web on one thread. */
async function startOnnxRuntime({ script, wasmPaths, model }) {
  const ort = await import(script);
  ort.env.wasm.wasmPaths = wasmPaths;
  ort.env.wasm.numThreads = 1;
  const bytes = await fetchBytes(model);
  const begin = performance.now();
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  const feeds = {};
  for (const { name, shape } of session.inputMetadata) {
    const sizes = shape.map((size) => (typeof size === "number" ? size : 1));
    const values = new Float32Array(sizes.reduce((a, b) => a * b, 1)).map((_, i) =>
      name === "features" ? Math.sin(i) : 0,
    );
    feeds[name] = new ort.Tensor("float32", values, sizes);
  }
  const process = async (from) => {
    for (let at = 0; at < from.length; at += HOP) {
      const outputs = await session.run(feeds);
      for (const name of Object.keys(feeds)) {
        if (name.endsWith("_past")) feeds[name] = outputs[name.replace(/_past$/, "_next")];
      }
    }
  };
  await process(new Float32Array(HOP));
  return { process, startMs: performance.now() - begin };
}

const STARTERS = { worklet: startWorklet, rnnoise: startRnnoise, onnx: startOnnxRuntime };

export async function startPeer(kind, places) {
  const { system, memoryBytes } = await withMemory(() => STARTERS[kind](places));
  return { ...system, memoryBytes: system.bytes ?? memoryBytes };
}
