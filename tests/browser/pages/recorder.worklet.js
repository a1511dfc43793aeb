// Audio thread: records its inputs side by side, quantum by quantum, from the first one it is called for.

const QUANTA_PER_MESSAGE = 16;

class Recorder extends AudioWorkletProcessor {
  #parts = [];

  process(inputs, outputs) {
    const quantum = outputs[0][0].length;
    const silence = new Float32Array(quantum);
    this.#parts.push(inputs.map((channels) => (channels[0] ?? silence).slice()));
    if (this.#parts.length === QUANTA_PER_MESSAGE) {
      this.port.postMessage(this.#parts);
      this.#parts = [];
    }
    return true;
  }
}

registerProcessor("recorder", Recorder);
