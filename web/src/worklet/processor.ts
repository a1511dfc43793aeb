// Audio thread: the AudioWorkletProcessor. Render quanta go through the fifo, messages come from and go to the page.

import type { Failure, Reply, Request, Settings, Startup } from "../messages.js";
import { Engine, EngineError } from "./engine.js";
import { HopFifo } from "./fifo.js";
import { Stream } from "./stream.js";

/** Put there by web/build.mjs: the processor's name, with the package's version in it. */
declare const PROCESSOR_NAME: string;

/** Newer browsers say how long a render quantum is; 128 is what all others use. */
const EXPECTED_QUANTUM = (globalThis as { renderQuantumSize?: number }).renderQuantumSize ?? 128;

class SordinoProcessor extends AudioWorkletProcessor {
  readonly #fifo = new HopFifo(EXPECTED_QUANTUM);
  #stream: Stream | undefined;
  #settings: Settings;
  #alive = true;

  constructor(options: { readonly processorOptions: Startup }) {
    super();
    const startup = options.processorOptions;
    this.#settings = startup.settings;
    this.port.onmessage = (event: MessageEvent<Request>) => this.#obey(event.data);
    void this.#start(startup);
  }

  /**
   * One render quantum. Real-time safe: no allocation, no await, no exception; a message is sent only when the kernel
   * fails or when the quantum is not the expected one. Until the kernel is ready the input passes through undelayed.
   */
  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const channels = inputs[0]!;
    const output = outputs[0]!;
    const first = output[0];
    if (!this.#alive || first === undefined) return this.#alive;
    if (this.#stream === undefined) {
      for (let c = 0; c < output.length && c < channels.length; c++) output[c]!.set(channels[c]!);
      return true;
    }
    if (first.length !== this.#fifo.quantum) this.#adopt(first.length);
    this.#fifo.exchange(first, channels, this.#stream);
    for (let c = 1; c < output.length; c++) output[c]!.set(first);
    return true;
  }

  async #start(startup: Startup): Promise<void> {
    try {
      const engine = await Engine.create(startup.wasm, startup.weights);
      if (!this.#alive) return;
      this.#stream = new Stream(engine, this.#settings, (failure) => this.#reply({ type: "failure", failure }));
      this.#reply({ type: "ready", latencySamples: this.#latency(engine.latency), stateBytes: engine.stateBytes });
    } catch (cause) {
      const failure: Failure =
        cause instanceof EngineError ? cause.failure : { code: "wasm", message: `the engine did not start: ${cause}` };
      this.#reply({ type: "failure", failure });
    }
  }

  #obey(request: Request): void {
    switch (request.type) {
      case "settings":
        this.#settings = request.settings;
        this.#stream?.apply(request.settings);
        break;
      case "reset":
        this.#fifo.configure(this.#fifo.quantum);
        this.#stream?.reset();
        break;
      case "read":
        if (this.#stream) this.#reply({ type: "readout", readout: this.#stream.read() });
        break;
      case "destroy":
        this.#alive = false;
        this.#stream = undefined;
        this.port.onmessage = null;
        break;
    }
  }

  #adopt(quantum: number): void {
    this.#fifo.configure(quantum);
    if (this.#stream) this.#reply({ type: "latency", latencySamples: this.#latency(this.#stream.latency) });
  }

  #latency(engineLatency: number): number {
    return this.#fifo.delay + engineLatency;
  }

  #reply(reply: Reply): void {
    this.port.postMessage(reply);
  }
}

try {
  registerProcessor(PROCESSOR_NAME, SordinoProcessor as unknown as AudioWorkletProcessorConstructor);
} catch {
  // This version of the script is already registered in this context, by another copy of the package: the same code.
}
