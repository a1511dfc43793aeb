// Every stage of the chain by itself, on the data of a real hop: microseconds per call.

import { fetchBytes } from "./sordino.js";

const HISTORY_SAMPLES = 8192;
const ARRAY_FLOATS = 1024;

/** Addresses of scratch arrays that hold plausible values. */
function prepare(exports, clip) {
  const memory = exports.memory;
  let top = (exports.__heap_base.value + 63) & ~63;
  memory.grow(8);
  const reserve = (floats, value = 0) => {
    const at = top;
    top = (top + 4 * floats + 63) & ~63;
    new Float32Array(memory.buffer, at, floats).fill(value);
    return at;
  };
  const samples = reserve(HISTORY_SAMPLES);
  new Float32Array(memory.buffer, samples, HISTORY_SAMPLES).set(clip.subarray(0, HISTORY_SAMPLES));
  const names = ["re", "im", "combRe", "combIm", "energy", "cross", "score", "origin", "correlation", "overlap", "out"];
  const arrays = Object.fromEntries(names.map((name) => [name, reserve(ARRAY_FLOATS)]));
  return { ...arrays, samples, frame: samples + 4 * (HISTORY_SAMPLES - 1920), half: reserve(ARRAY_FLOATS, 0.5) };
}

/** How often a stage runs per hop, and how it is called. */
function calls(exports, at) {
  return {
    "follow level": [1, () => exports.sordino_follow_level(at.origin, at.frame)],
    analyse: [2, () => exports.sordino_analyse(at.re, at.im, at.frame)],
    "band energy": [3, () => exports.sordino_band_energy(at.energy, at.re, at.im)],
    "band cross": [1, () => exports.sordino_band_cross(at.cross, at.re, at.im, at.combRe, at.combIm)],
    decimate: [1, () => exports.sordino_decimate(at.out, at.frame)],
    correlate: [1, () => exports.sordino_correlate(at.correlation, at.samples)],
    track: [1, () => exports.sordino_track(at.score, at.origin, at.correlation)],
    refine: [1, () => exports.sordino_refine(at.out, at.frame, 60)],
    comb: [1, () => exports.sordino_comb(at.out, at.frame, 240, 2)],
    coherence: [1, () => exports.sordino_coherence(at.out, at.energy, at.energy, at.cross)],
    features: [1, () => exports.sordino_features(at.out, at.energy, at.half, 240, 0.5)],
    "lift gains": [1, () => exports.sordino_lift_gains(at.out, at.half, 0.5)],
    "post-filter": [1, () => exports.sordino_postfilter(at.out, at.half, at.energy, 1)],
    "mix comb": [1, () => exports.sordino_mix_comb(at.combRe, at.combIm, at.re, at.im, at.half)],
    "apply gains": [1, () => exports.sordino_apply_gains(at.combRe, at.combIm, at.energy, at.half)],
    synthesise: [1, () => exports.sordino_synthesise(at.out, at.overlap, at.re, at.im)],
  };
}

/** wasm  a module with every stage exported. Returns per stage { perHop, samples: microseconds per hop }. */
export async function measureStages({ wasm, times, repeats }, clip) {
  const { exports } = (await WebAssembly.instantiate(await fetchBytes(wasm), {})).instance;
  const stages = Object.entries(calls(exports, prepare(exports, clip)));
  const figures = Object.fromEntries(stages.map(([name, [perHop]]) => [name, { perHop, samples: [] }]));
  for (let repeat = -2; repeat < repeats; repeat++) {
    for (const [name, [perHop, call]] of stages) {
      const begin = performance.now();
      for (let i = 0; i < times; i++) call();
      if (repeat >= 0) figures[name].samples.push((1000 * perHop * (performance.now() - begin)) / times);
    }
  }
  return figures;
}
