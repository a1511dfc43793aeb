// Our own modules: any number of streams in one memory that share one copy of the weights.

export const HOP = 480;
const PAGE_BYTES = 65536;
const align = (address) => (address + 15) & ~15;

export async function fetchBytes(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: got status ${response.status}, wanted 200`);
  return new Uint8Array(await response.arrayBuffer());
}

/** exports, address of the weights, of every state, and of one hop buffer. */
export class Kernel {
  constructor(exports, weights, streams = 1) {
    this.exports = exports;
    this.streams = streams;
    this.weights = align(exports.__heap_base.value);
    this.stateBytes = align(exports.sordino_state_bytes());
    this.state = align(this.weights + weights.length);
    this.hop = this.state + streams * this.stateBytes;
    this.list = align(this.hop + 4 * HOP);
    const missing = this.list + 4 * streams - exports.memory.buffer.byteLength;
    if (missing > 0) exports.memory.grow(Math.ceil(missing / PAGE_BYTES));
    new Uint8Array(exports.memory.buffer).set(weights, this.weights);
    this.buffer = new Float32Array(exports.memory.buffer, this.hop, HOP);
    for (let i = 0; i < streams; i++) {
      const status = exports.sordino_init(this.stream(i), this.weights, weights.length);
      if (status !== 0) throw new Error(`sordino_init returned ${status}; wanted 0`);
    }
    const list = new Uint32Array(exports.memory.buffer, this.list, streams);
    for (let i = 0; i < streams; i++) list[i] = this.stream(i);
  }

  stream(i) {
    return this.state + i * this.stateBytes;
  }

  /** Whole hops through the first stream. */
  process(input, output) {
    for (let at = 0; at < input.length; at += HOP) {
      this.buffer.set(input.subarray(at, at + HOP));
      this.exports.sordino_process(this.state, this.hop, this.hop);
      output.set(this.buffer, at);
    }
  }

  /** One hop through every stream, the network of all together. */
  processTogether(input) {
    const { exports, streams } = this;
    this.buffer.set(input);
    for (let i = 0; i < streams; i++) exports.sordino_begin(this.stream(i), this.hop);
    while (exports.sordino_advance_together(this.list, streams) > 0);
    for (let i = 0; i < streams; i++) exports.sordino_finish(this.stream(i), this.hop);
  }

  /** One hop through every stream, one after the other. */
  processAll(input) {
    for (let i = 0; i < this.streams; i++) {
      this.buffer.set(input);
      this.exports.sordino_process(this.stream(i), this.hop, this.hop);
    }
  }

  memoryBytes() {
    return this.exports.memory.buffer.byteLength;
  }
}

export async function startSordino({ wasm, weights, streams }) {
  const [code, data] = await Promise.all([fetchBytes(wasm), fetchBytes(weights)]);
  const begin = performance.now();
  const { instance } = await WebAssembly.instantiate(code, {});
  const kernel = new Kernel(instance.exports, data, streams);
  kernel.process(new Float32Array(HOP), new Float32Array(HOP));
  kernel.startMs = performance.now() - begin;
  return kernel;
}
