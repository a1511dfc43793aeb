// Worker: keeps the systems and measures them, all in one thread and interleaved, so that ratios survive a noisy machine.

import { startPeer } from "./peers.js";
import { fetchBytes, HOP, Kernel, startSordino } from "./sordino.js";
import { measureStages } from "./stages.js";

const HOP_MS = 10;
const systems = new Map();
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const microseconds = (begin) => 1000 * (performance.now() - begin);
let clip;

async function setClip({ url }) {
  clip = new Float32Array((await fetchBytes(url)).buffer);
  return clip.length;
}

/** Start a system under a name. Returns what its start cost. */
async function start({ name, kind, places }) {
  const system = kind === "sordino" ? await startSordino(places) : await startPeer(kind, places);
  systems.set(name, system);
  return { startMs: system.startMs };
}

const memory = () => Object.fromEntries([...systems].map(([name, system]) => [name, system.memoryBytes()]));

/** What a system makes of the clip: float32 in base64. */
async function render({ name }) {
  const output = new Float32Array(clip.length);
  await systems.get(name).process(clip, output);
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result.split(",")[1]);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(new Blob([output]));
  });
}

/** Back to back, a round: each system works off so many hops. Returns microseconds per hop and system. */
async function warm({ names, hops }) {
  const input = clip.subarray(0, hops * HOP);
  const output = new Float32Array(input.length);
  const figures = {};
  for (const name of names) {
    const begin = performance.now();
    await systems.get(name).process(input, output);
    figures[name] = microseconds(begin) / hops;
  }
  return figures;
}

/** Every 10 ms one hop through each system, in turn, so that each finds what the others left in the caches.
 *  Returns microseconds per tick and system. */
async function paced({ names, ticks }) {
  const output = new Float32Array(HOP);
  const figures = Object.fromEntries(names.map((name) => [name, []]));
  let next = performance.now();
  for (let tick = 0; tick < ticks; tick++) {
    const at = (tick * HOP) % (clip.length - HOP);
    const input = clip.subarray(at, at + HOP);
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + tick) % names.length];
      const begin = performance.now();
      const promise = systems.get(name).process(input, output);
      if (promise) await promise;
      figures[name].push(microseconds(begin));
    }
    next += HOP_MS;
    await pause(Math.max(0, next - performance.now()));
  }
  return figures;
}

/** Many streams in one memory, in turn one after the other (alone) and with the network of all together: microseconds
 *  for one hop of all of them, back to back and paced, and the memory they take. */
async function manyStreams({ wasm, weights, counts, ticks }) {
  const code = await WebAssembly.compile(await fetchBytes(wasm));
  const data = await fetchBytes(weights);
  const results = [];
  for (const streams of counts) {
    const { exports } = await WebAssembly.instantiate(code, {});
    const kernel = new Kernel(exports, data, streams);
    const ways = { alone: (input) => kernel.processAll(input), together: (input) => kernel.processTogether(input) };
    const warm = { alone: [], together: [] };
    const paced = { alone: [], together: [] };
    for (let tick = 0; tick < ticks; tick++) {
      for (const [way, work] of Object.entries(ways)) warm[way].push(timeHop(work, tick));
    }
    for (let tick = 0; tick < 2 * ticks; tick++) {
      const way = tick % 2 ? "together" : "alone";
      const spent = timeHop(ways[way], tick);
      paced[way].push(spent);
      await pause(HOP_MS - ((spent / 1000) % HOP_MS));
    }
    results.push({ streams, warm, paced, memoryBytes: kernel.memoryBytes(), stateBytes: kernel.stateBytes });
  }
  return results;
}

function timeHop(work, tick) {
  const at = (tick * HOP) % (clip.length - HOP);
  const input = clip.subarray(at, at + HOP);
  const begin = performance.now();
  work(input);
  return microseconds(begin);
}

/** Speech, then as much silence, in blocks: microseconds per hop of each block. Denormal numbers would make silence dear. */
async function silence({ name, blocks, hops }) {
  const system = systems.get(name);
  const nothing = new Float32Array(hops * HOP);
  const output = new Float32Array(hops * HOP);
  const figures = { speech: [], silence: [] };
  for (const [kind, list] of Object.entries(figures)) {
    for (let block = 0; block < blocks; block++) {
      const at = (block * hops * HOP) % (clip.length - hops * HOP);
      const input = kind === "speech" ? clip.subarray(at, at + hops * HOP) : nothing;
      const begin = performance.now();
      await system.process(input, output);
      list.push(microseconds(begin) / hops);
    }
  }
  return figures;
}

/** The pieces of a hop: microseconds for begin, each part of the network, finish. One list per piece. */
function pieces({ name, hops }) {
  const { exports, state, hop, buffer } = systems.get(name);
  const figures = [];
  const time = (piece, action) => {
    const begin = performance.now();
    action();
    figures[piece] ??= [];
    figures[piece].push(microseconds(begin));
  };
  for (let i = 0; i < hops; i++) {
    buffer.set(clip.subarray(i * HOP, (i + 1) * HOP));
    let piece = 0;
    let left = 1;
    time(piece++, () => exports.sordino_begin(state, hop));
    while (left > 0) {
      time(piece++, () => {
        left = exports.sordino_advance(state);
      });
    }
    time(piece, () => exports.sordino_finish(state, hop));
  }
  return figures;
}

/** A matrix times a vector, again and again: microseconds per product for each module, interleaved.
 *  modules  [{ name, wasm, call }], call "sordino_dense" or "probe" */
async function matrix({ modules, rows, columns, times, repeats }) {
  const runs = [];
  for (const { name, wasm, call } of modules) {
    const { exports } = (await WebAssembly.instantiate(await fetchBytes(wasm), {})).instance;
    const bytes = rows * (columns + 12);
    const at = (exports.__heap_base.value + 63) & ~63;
    const q = at + bytes;
    const y = q + columns;
    const missing = y + 4 * rows - exports.memory.buffer.byteLength;
    if (missing > 0) exports.memory.grow(Math.ceil(missing / 65536));
    const memory = new Uint8Array(exports.memory.buffer);
    for (let i = 0; i < rows * columns; i++) memory[at + 12 * rows + i] = (i * 2654435761) >>> 13;
    for (let i = 0; i < columns; i++) memory[q + i] = 1 + ((i * 37) % 127);
    runs.push({ name, run: () => exports[call](y, at, q, rows, columns) });
  }
  const figures = Object.fromEntries(runs.map(({ name }) => [name, []]));
  for (let repeat = -2; repeat < repeats; repeat++) {
    for (const { name, run } of runs) {
      const begin = performance.now();
      for (let i = 0; i < times; i++) run();
      if (repeat >= 0) figures[name].push(microseconds(begin) / times);
    }
  }
  return figures;
}

const accepts = async ({ wasm }) => WebAssembly.validate(await fetchBytes(wasm));
const stages = (parameters) => measureStages(parameters, clip);

const FUNCTIONS = {
  setClip,
  start,
  memory,
  render,
  warm,
  paced,
  manyStreams,
  silence,
  pieces,
  matrix,
  accepts,
  stages,
};

self.onmessage = async ({ data: { id, name, parameters } }) => {
  try {
    self.postMessage({ id, value: await FUNCTIONS[name](parameters) });
  } catch (error) {
    self.postMessage({ id, error: `${name}: ${error}\n${error.stack}` });
  }
};
