// Audio thread: the greatest absolute sample since it was asked last, and how many samples that were.

class Peak extends AudioWorkletProcessor {
  #peak = 0;
  #samples = 0;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.port.postMessage([this.#peak, this.#samples]);
      this.#peak = this.#samples = 0;
    };
  }

  process([channels]) {
    for (const channel of channels) for (const x of channel) this.#peak = Math.max(this.#peak, Math.abs(x));
    this.#samples += channels[0]?.length ?? 0;
    return true;
  }
}

registerProcessor("peak", Peak);
