/* Runs one noise suppressor over recordings, as a page would: node quality_peers.mjs NAME NODE_MODULES JOBS [OURS]
 *
 * JOBS is a JSON file [{input, output}, ...] of raw 48 kHz mono float32 files. Every recording goes through a fresh
 * instance. Prints the output's path when it is written, and the processor time that it took in seconds. Emscripten
 * modules are loaded by the packages' own code: import names are minified anew in every build, and a stub for the wrong
 * one gives silence. NAME "sordino" runs our module; OURS is {module, weights, postFilter, floorGain} as JSON.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [name, modules, jobsFile, ours] = process.argv.slice(2);
const usage = process.cpuUsage.bind(process);
const file = (path) => join(resolve(modules), path);
const load = (path) => import(pathToFileURL(file(path)));

/** The packages were built for pages: some ask for one, some take a Node with `process` for a CommonJS module. */
function pretendPage() {
  globalThis.window = globalThis;
  globalThis.self = globalThis;
  globalThis.process = undefined;
}

/** In frames of 480 samples at 16-bit scale, the interface of RNNoise. */
function inFrames(samples, processFrame) {
  const out = new Float32Array(samples.length);
  const frame = new Float32Array(480);
  for (let at = 0; at + 480 <= samples.length; at += 480) {
    for (let i = 0; i < 480; i++) frame[i] = samples[at + i] * 32768;
    processFrame(frame);
    for (let i = 0; i < 480; i++) out[at + i] = frame[i] / 32768;
  }
  return out;
}

/** An AudioWorkletProcessor of @sapphi-red/web-noise-suppressor in quanta of 128 samples. */
async function worklet(folder, wasm) {
  let Processor;
  globalThis.sampleRate = 48000;
  globalThis.AudioWorkletProcessor = class {
    port = { addEventListener() {}, postMessage() {}, start() {} };
  };
  globalThis.registerProcessor = (_, registered) => {
    Processor = registered;
  };
  const root = "@sapphi-red/web-noise-suppressor/dist";
  await load(`${root}/${folder}/workletProcessor.js`);
  const wasmBinary = new Uint8Array(readFileSync(file(`${root}/${wasm}`))).buffer;
  return async (samples) => {
    const node = new Processor({ processorOptions: { wasmBinary, maxChannels: 1 } });
    for (let wait = 0; !node.processor; wait++) {
      if (wait > 1000) throw new Error(`${folder} did not start within 10 s`);
      await new Promise((done) => setTimeout(done, 10));
    }
    const out = new Float32Array(samples.length);
    for (let at = 0; at + 128 <= samples.length; at += 128) {
      node.process([[samples.slice(at, at + 128)]], [[out.subarray(at, at + 128)]], {});
    }
    node.destroy();
    return out;
  };
}

async function jitsi() {
  const { default: create } = await load("@jitsi/rnnoise-wasm/dist/rnnoise-sync.js");
  const module = create();
  await module.ready;
  return (samples) => {
    const state = module._rnnoise_create();
    const at = module._malloc(480 * 4);
    const out = inFrames(samples, (frame) => {
      module.HEAPF32.set(frame, at / 4);
      module._rnnoise_process_frame(state, at, at);
      frame.set(module.HEAPF32.subarray(at / 4, at / 4 + 480));
    });
    module._rnnoise_destroy(state);
    module._free(at);
    return out;
  };
}

async function shiguredo() {
  const { Rnnoise } = await load("@shiguredo/rnnoise-wasm/dist/rnnoise.js");
  const rnnoise = await Rnnoise.load();
  return (samples) => {
    const state = rnnoise.createDenoiseState();
    const out = inFrames(samples, (frame) => state.processFrame(frame));
    state.destroy();
    return out;
  };
}

/** Our module, without the page's code around it. */
async function sordino() {
  const { module, weights, postFilter, floorGain } = JSON.parse(ours);
  const compiled = await WebAssembly.compile(readFileSync(module));
  const bytes = readFileSync(weights);
  return async (samples) => {
    const { exports: kernel } = await WebAssembly.instantiate(compiled, {});
    let top = kernel.__heap_base.value;
    const reserve = (size) => {
      const at = Math.ceil(top / 16) * 16;
      top = at + size;
      const missing = top - kernel.memory.buffer.byteLength;
      if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65536));
      return at;
    };
    const [at, state, hop] = [reserve(bytes.length), reserve(kernel.sordino_state_bytes()), reserve(4 * 480)];
    new Uint8Array(kernel.memory.buffer, at, bytes.length).set(bytes);
    const code = kernel.sordino_init(state, at, bytes.length);
    if (code !== 0) throw new Error(`the kernel refused ${weights}: ${code}`);
    kernel.sordino_set_post_filter(state, postFilter);
    kernel.sordino_set_attenuation_limit(state, floorGain);
    const out = new Float32Array(samples.length);
    const frame = new Float32Array(kernel.memory.buffer, hop, 480);
    for (let start = 0; start + 480 <= samples.length; start += 480) {
      frame.set(samples.subarray(start, start + 480));
      kernel.sordino_process(state, hop, hop);
      out.set(frame, start);
    }
    return out;
  };
}

const SYSTEMS = {
  sordino,
  "rnnoise-0.1": () => worklet("rnnoise", "rnnoise_simd.wasm"),
  "rnnoise-0.2": jitsi,
  "rnnoise-shiguredo": shiguredo,
  gtcrn: () => worklet("gtcrn", "gtcrn.wasm"),
  speex: () => worklet("speex", "speex.wasm"),
};

if (!SYSTEMS[name]) throw new Error(`no system ${name}; known: ${Object.keys(SYSTEMS).join(", ")}`);
pretendPage();
const denoise = await SYSTEMS[name]();
for (const { input, output } of JSON.parse(readFileSync(jobsFile, "utf8"))) {
  const bytes = readFileSync(input);
  const samples = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4).slice();
  const before = usage();
  const out = await denoise(samples);
  const { user, system } = usage(before);
  writeFileSync(output, new Uint8Array(out.buffer));
  console.log(`${output}\t${(user + system) / 1e6}`);
}
