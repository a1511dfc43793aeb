// Audio thread: entry of the worklet: the AudioWorkletProcessor passes render quanta and messages to a session.

import type { Request, Startup } from "../protocol/messages.js";
import { Session } from "./session.js";

/** Put there by web/build.mjs: the processor's name, with the package's version in it. */
declare const PROCESSOR_NAME: string;

/** Newer browsers say how long a render quantum is; 128 is what all others use. */
const EXPECTED_QUANTUM = (globalThis as { renderQuantumSize?: number }).renderQuantumSize ?? 128;
const NO_CHANNELS: readonly Float32Array[] = [];

class SordinoProcessor extends AudioWorkletProcessor {
  readonly #session: Session;
  #alive = true;

  constructor(options: { readonly processorOptions: Startup }) {
    super();
    const startup = options.processorOptions;
    // This scope has no finer clock than Date.now(); its whole milliseconds average out over the frames.
    const host = { now: Date.now, reply: (reply: unknown) => this.port.postMessage(reply) };
    this.#session = new Session(host, startup, startup.settings, sampleRate, EXPECTED_QUANTUM);
    this.port.onmessage = (event: MessageEvent<Request>) => this.#obey(event.data);
    void this.#session.start(startup, 0);
  }

  /** One render quantum. Real-time safe: no await, no exception. */
  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const output = outputs[0]!;
    if (this.#alive && output.length > 0) this.#session.process(output, inputs[0] ?? NO_CHANNELS);
    return this.#alive;
  }

  #obey(request: Request): void {
    switch (request.type) {
      case "settings":
        this.#session.apply(request.settings);
        break;
      case "reset":
        this.#session.reset();
        break;
      case "read":
        this.port.postMessage({ type: "readout", readout: this.#session.read() });
        break;
      case "voice":
        this.#session.tellVoice(request.on);
        break;
      case "engine":
        void this.#session.start(request, request.id);
        break;
      case "finish":
        this.#session.finish();
        break;
      case "destroy":
        this.#alive = false;
        this.#session.destroy();
        this.port.onmessage = null;
        break;
    }
  }
}

try {
  registerProcessor(PROCESSOR_NAME, SordinoProcessor as unknown as AudioWorkletProcessorConstructor);
} catch {
  // This version of the script is already registered in this context, by another copy of the package: the same code.
}
