// Worker: times the kernel that the page runs, on noisy speech. A worker's clock is finer than the audio thread's.

import { HOP, SAMPLE_RATE } from "../../src/protocol/params.js";
import { Engine } from "../../src/worklet/engine.js";
import { batchFor, tickMs } from "./clock.js";
import type { Benchmark, KernelFiles, MeterAnswer, MeterRequest } from "./messages.js";

const SHAPE = { channels: 1, linked: true, realTime: false } as const;
const FRAME_MS = (1000 * HOP) / SAMPLE_RATE;

function tell(answer: MeterAnswer): void {
  postMessage(answer);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

class Meter {
  readonly #tickMs = tickMs();
  readonly batch = batchFor(this.#tickMs);
  readonly #engine: Engine;
  readonly #samples: Float32Array;
  #at = 0;
  #live = false;

  constructor(engine: Engine, samples: Float32Array) {
    this.#engine = engine;
    this.#samples = samples;
  }

  get memoryBytes(): number {
    return this.#engine.memoryBytes;
  }

  /** Microseconds per frame, the mean of a batch. */
  time(): number {
    const start = performance.now();
    for (let frame = 0; frame < this.batch; frame++) {
      if (this.#at + HOP > this.#samples.length) this.#at = 0;
      this.#engine.input[0]!.set(this.#samples.subarray(this.#at, this.#at + HOP));
      this.#engine.processHop(1);
      this.#at += HOP;
    }
    return (1000 * (performance.now() - start)) / this.batch;
  }

  async live(on: boolean): Promise<void> {
    if (this.#live === on) return;
    this.#live = on;
    while (this.#live) {
      tell({ type: "batch", frameUs: this.time() });
      await pause(this.batch * FRAME_MS);
    }
  }

  async benchmark(backToBackS: number, pacedS: number): Promise<Benchmark> {
    const wasLive = this.#live;
    this.#live = false;
    const backToBack = await this.#gather(backToBackS, 0);
    const paced = await this.#gather(pacedS, this.batch * FRAME_MS);
    if (wasLive) void this.live(true);
    return {
      backToBackUs: median(backToBack),
      pacedUs: median(paced),
      worstUs: Math.max(...paced),
      frames: (backToBack.length + paced.length) * this.batch,
      batch: this.batch,
      tickMs: this.#tickMs,
      memoryBytes: this.memoryBytes,
    };
  }

  async #gather(seconds: number, pauseMs: number): Promise<number[]> {
    const times: number[] = [];
    const end = performance.now() + 1000 * seconds;
    while (performance.now() < end) {
      times.push(this.time());
      if (pauseMs > 0) await pause(pauseMs);
    }
    return times;
  }
}

async function start({ wasm, weights, samples }: KernelFiles): Promise<Meter> {
  const [module, model] = await Promise.all([wasm, weights].map(async (url) => (await fetch(url)).arrayBuffer()));
  const engine = await Engine.create({ wasm: module!, weights: model! }, SHAPE, SAMPLE_RATE);
  return new Meter(engine, samples);
}

let meter: Promise<Meter> | undefined;

async function obey(request: MeterRequest): Promise<void> {
  if (request.type === "start") {
    const running = meter && (await meter);
    void running?.live(false);
    meter = start(request.files);
    const { batch, memoryBytes } = await meter;
    tell({ type: "ready", batch, memoryBytes });
    return;
  }
  const current = await meter!;
  if (request.type === "live") void current.live(request.on);
  else tell({ type: "benchmark", benchmark: await current.benchmark(request.backToBackS, request.pacedS) });
}

addEventListener("message", (event: MessageEvent<MeterRequest>) => {
  obey(event.data).catch((error: unknown) => tell({ type: "failed", message: String(error) }));
});
