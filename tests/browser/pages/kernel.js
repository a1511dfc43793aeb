// Runs a kernel module by its C interface alone (wasm/sordino.h), without the npm package: hop by hop, input to output.
// Used in the pages of the browser tests and in Node.

const HOP = 480;
const PAGE_BYTES = 65536;
const align16 = (address) => (address + 15) & ~15;

/** Lay out weights, one state and two hop buffers after the module's own data, and start the state.
 *  moduleBytes, weightBytes  ArrayBuffer
 *  returns { exports, state, input, output } with addresses; input and output do not overlap
 *  throws  if the module wants imports or refuses the weights */
export async function startKernel(moduleBytes, weightBytes) {
  const module = await WebAssembly.compile(moduleBytes);
  const imports = WebAssembly.Module.imports(module);
  if (imports.length > 0) throw new Error(`the module wants ${imports.length} imports; it must want none`);
  const { exports } = await WebAssembly.instantiate(module, {});
  const weights = align16(exports.__heap_base.value);
  const state = align16(weights + weightBytes.byteLength);
  const input = align16(state + exports.sordino_state_bytes());
  const output = input + 4 * HOP;
  const missing = output + 4 * HOP - exports.memory.buffer.byteLength;
  if (missing > 0) exports.memory.grow(Math.ceil(missing / PAGE_BYTES));
  new Uint8Array(exports.memory.buffer).set(new Uint8Array(weightBytes), weights);
  const status = exports.sordino_init(state, weights, weightBytes.byteLength);
  if (status !== 0) throw new Error(`sordino_init returned ${status}; wanted 0`);
  return { exports, state, input, output };
}

/** Process whole hops of a signal. kernel from startKernel; signal Float32Array; returns Float32Array of as many whole hops. */
export function processSignal(kernel, signal) {
  const { exports, state, input, output } = kernel;
  const result = new Float32Array(signal.length - (signal.length % HOP));
  for (let start = 0; start < result.length; start += HOP) {
    const buffer = exports.memory.buffer;
    new Float32Array(buffer, input, HOP).set(signal.subarray(start, start + HOP));
    exports.sordino_process(state, output, input);
    result.set(new Float32Array(buffer, output, HOP), start);
  }
  return result;
}

export async function fetchBytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: got status ${response.status}, wanted 200`);
  return response.arrayBuffer();
}

export const fetchSamples = async (url) => new Float32Array(await fetchBytes(url));

/** SHA-256 of the bytes of an array, in hex. */
export async function sha256(array) {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compare bit patterns. Returns { samples, differing, first } where first is null or { index, got, wanted }. */
export function compareSamples(got, wanted) {
  const gotBits = new Uint32Array(got.buffer, got.byteOffset, got.length);
  const wantedBits = new Uint32Array(wanted.buffer, wanted.byteOffset, wanted.length);
  const samples = Math.min(got.length, wanted.length);
  let differing = Math.abs(got.length - wanted.length);
  let first = differing ? { index: samples, got: got.length, wanted: wanted.length } : null;
  for (let i = samples - 1; i >= 0; i--) {
    if (gotBits[i] === wantedBits[i]) continue;
    differing++;
    first = { index: i, got: got[i], wanted: wanted[i] };
  }
  return { samples, differing, first };
}

/** Whether this engine accepts a module (it refuses relaxed SIMD where it has none). */
export const accepts = async (wasm) => WebAssembly.validate(await fetchBytes(wasm));

/** Run golden signals through one module, each from a fresh state.
 *  wasm, weights  addresses; signals  [{ input, output }] addresses of float32 samples
 *  returns        per signal: { sha256, samples, differing, first } against the wanted output */
export async function runGolden({ wasm, weights, signals }) {
  const kernel = await startKernel(await fetchBytes(wasm), await fetchBytes(weights));
  const reports = [];
  for (const { input, output } of signals) {
    kernel.exports.sordino_reset(kernel.state);
    const got = processSignal(kernel, await fetchSamples(input));
    reports.push({ sha256: await sha256(got), ...compareSamples(got, await fetchSamples(output)) });
  }
  return reports;
}
