// Audio thread: level meter (RMS) of input and output.

function energy(blocks: readonly Float32Array[], channels: number, quantum: number): number {
  let sum = 0;
  for (let c = 0; c < channels; c++) {
    const block = blocks[c]!;
    for (let i = 0; i < quantum; i++) sum += block[i]! * block[i]!;
  }
  return sum;
}

function levelDb(sum: number, samples: number): number {
  return samples > 0 ? 10 * Math.log10(sum / samples) : Number.NEGATIVE_INFINITY;
}

/** Mean over the channels since the last reading. */
export class Meter {
  #input = 0;
  #output = 0;
  #samples = 0;

  /** Returns the energy of the inputs. */
  note(inputs: readonly Float32Array[], outputs: readonly Float32Array[], channels: number, quantum: number): number {
    const input = energy(inputs, channels, quantum);
    this.#input += input;
    this.#output += energy(outputs, channels, quantum);
    this.#samples += channels * quantum;
    return input;
  }

  reset(): void {
    this.#input = this.#output = this.#samples = 0;
  }

  read(): { readonly inputDb: number; readonly outputDb: number } {
    const levels = { inputDb: levelDb(this.#input, this.#samples), outputDb: levelDb(this.#output, this.#samples) };
    this.reset();
    return levels;
  }
}
