// Page thread: the measuring worker, by promises.

import type { EngineName } from "sordino";
import type { Benchmark, MeterAnswer, MeterRequest } from "./messages.js";

/** Address of a file of the package, which lies beside the page. */
function asset(path: string): string {
  return new URL(`sordino/${path}`, document.baseURI).href;
}

export class Meter {
  readonly #worker = new Worker(new URL("./meter.js", import.meta.url));
  readonly #onBatch: (frameUs: number) => void;
  #waiting: { type: MeterAnswer["type"]; resolve: (answer: MeterAnswer) => void; reject: (error: Error) => void }[] =
    [];

  /** onBatch  told microseconds per frame while live */
  constructor(onBatch: (frameUs: number) => void) {
    this.#onBatch = onBatch;
    this.#worker.addEventListener("message", (event: MessageEvent<MeterAnswer>) => this.#hear(event.data));
  }

  /** Load the kernel and a model. Returns frames per batch. rejects Error */
  async start(engine: EngineName, model: string, samples: Float32Array<ArrayBuffer>): Promise<number> {
    const files = { wasm: asset(`sordino.${engine}.wasm`), weights: asset(`models/${model}.sordino`), samples };
    const answer = await this.#ask({ type: "start", files }, "ready");
    return answer.batch;
  }

  live(on: boolean): void {
    this.#send({ type: "live", on });
  }

  /** rejects Error */
  async benchmark(backToBackS: number, pacedS: number): Promise<Benchmark> {
    return (await this.#ask({ type: "benchmark", backToBackS, pacedS }, "benchmark")).benchmark;
  }

  #send(request: MeterRequest): void {
    this.#worker.postMessage(request);
  }

  #ask<T extends MeterAnswer["type"]>(request: MeterRequest, type: T): Promise<Extract<MeterAnswer, { type: T }>> {
    this.#send(request);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ type, resolve: resolve as (answer: MeterAnswer) => void, reject });
    });
  }

  #hear(answer: MeterAnswer): void {
    if (answer.type === "batch") {
      this.#onBatch(answer.frameUs);
      return;
    }
    const settled = this.#waiting.filter(({ type }) => type === answer.type || answer.type === "failed");
    this.#waiting = this.#waiting.filter((waiting) => !settled.includes(waiting));
    for (const { resolve, reject } of settled) {
      if (answer.type === "failed") reject(new Error(answer.message));
      else resolve(answer);
    }
  }
}
