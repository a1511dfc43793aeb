// Audio thread: by how much each cleaned sound has to be raised until its speech is as loud as in the unchanged one.

/** Blocks whose power is looked at, s. */
const BLOCK_S = 0.02;
/** The loudest of so many last blocks tells what is speech and what is a pause. */
const REMEMBERED_BLOCKS = 250;
/** Where Sordino leaves this share of the loudest power somebody speaks; where it leaves less than the other, nobody. */
const SPEECH_SHARE = 10 ** (-10 / 10);
const PAUSE_SHARE = 10 ** (-25 / 10);
/** Blocks that are needed for a judgement, and how much a new one counts later: they are forgotten in 5 s. */
const [LEAST_SPEECH, LEAST_PAUSE] = [25, 10];
const LEAST_WEIGHT = BLOCK_S / 5;
/** Nothing is lowered, nor raised by more than this, dB. */
const MOST_DB = 4;
const GLIDE_S = 0.3;
const TELL_EVERY_BLOCKS = 10;

type Message = { readonly type: "reset" } | { readonly type: "on"; readonly on: boolean };

/** Mean power of two sounds over the same blocks. */
class Means {
  raw = 0;
  clean = 0;
  blocks = 0;

  reset(): void {
    this.raw = 0;
    this.clean = 0;
    this.blocks = 0;
  }

  add(raw: number, clean: number): void {
    this.blocks += 1;
    const weight = Math.max(1 / this.blocks, LEAST_WEIGHT);
    this.raw += weight * (raw - this.raw);
    this.clean += weight * (clean - this.clean);
  }
}

/** One cleaned sound beside the unchanged one. */
class Match {
  readonly #speech = new Means();
  readonly #pauses = new Means();

  reset(): void {
    this.#speech.reset();
    this.#pauses.reset();
  }

  add(speech: boolean, raw: number, clean: number): void {
    (speech ? this.#speech : this.#pauses).add(raw, clean);
  }

  /** What speech has lost, 0 to MOST_DB: the power in speech less that in pauses, which is the noise below the speech. */
  get db(): number {
    const speech = this.#speech;
    const pauses = this.#pauses;
    if (speech.blocks < LEAST_SPEECH || pauses.blocks < LEAST_PAUSE) return 0;
    const before = speech.raw - pauses.raw;
    const after = speech.clean - pauses.clean;
    if (before <= 0 || after <= 0) return 0;
    return Math.min(Math.max(10 * Math.log10(before / after), 0), MOST_DB);
  }
}

/**
 * Input 0 is the unchanged sound, input 1 what Sordino makes of it, further inputs what others make of it; all in step.
 * Output i is what to add to a gain of one for input i + 1. Messages: a Float64Array of dB, one per output.
 * process() allocates nothing; what is posted is copied.
 */
class LoudnessProcessor extends AudioWorkletProcessor {
  readonly #blockSamples = Math.round(BLOCK_S * sampleRate);
  readonly #glide = 1 / (GLIDE_S * sampleRate);
  readonly #power: Float64Array;
  readonly #matches: Match[];
  readonly #targets: Float64Array;
  readonly #gains: Float64Array;
  readonly #latest = new Float64Array(REMEMBERED_BLOCKS);
  readonly #told: Float64Array;
  #samples = 0;
  #blocks = 0;
  #on = true;

  constructor(options: { readonly numberOfInputs: number }) {
    super();
    const cleaned = options.numberOfInputs - 1;
    this.#power = new Float64Array(options.numberOfInputs);
    this.#matches = Array.from({ length: cleaned }, () => new Match());
    this.#targets = new Float64Array(cleaned);
    this.#gains = new Float64Array(cleaned);
    this.#told = new Float64Array(cleaned);
    this.port.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.type === "reset") this.#reset();
      else this.#on = data.on;
      this.#aim();
    };
  }

  process(inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    for (let i = 0; i < inputs.length; i++) {
      const samples = inputs[i]![0];
      if (!samples) continue;
      let sum = 0;
      for (let k = 0; k < samples.length; k++) sum += samples[k]! * samples[k]!;
      this.#power[i]! += sum;
    }
    this.#samples += outputs[0]![0]!.length;
    if (this.#samples >= this.#blockSamples) this.#endBlock();
    for (let i = 0; i < outputs.length; i++) this.#write(i, outputs[i]![0]!);
    return true;
  }

  #write(i: number, output: Float32Array): void {
    const target = this.#targets[i]!;
    let gain = this.#gains[i]!;
    for (let k = 0; k < output.length; k++) {
      gain += (target - gain) * this.#glide;
      output[k] = gain;
    }
    this.#gains[i] = gain;
  }

  #endBlock(): void {
    const raw = this.#power[0]!;
    const own = this.#power[1]!;
    this.#latest[this.#blocks % REMEMBERED_BLOCKS] = own;
    this.#blocks += 1;
    let loudest = 0;
    for (let i = 0; i < REMEMBERED_BLOCKS; i++) loudest = Math.max(loudest, this.#latest[i]!);
    const speech = own > SPEECH_SHARE * loudest;
    if (speech || own < PAUSE_SHARE * loudest) {
      for (let i = 0; i < this.#matches.length; i++) {
        const clean = this.#power[i + 1]!;
        if (clean > 0) this.#matches[i]!.add(speech, raw, clean);
      }
      this.#aim();
    }
    this.#power.fill(0);
    this.#samples = 0;
    if (this.#blocks % TELL_EVERY_BLOCKS === 0) this.#tell();
  }

  #tell(): void {
    for (let i = 0; i < this.#matches.length; i++) this.#told[i] = this.#matches[i]!.db;
    this.port.postMessage(this.#told);
  }

  #aim(): void {
    for (let i = 0; i < this.#matches.length; i++) {
      this.#targets[i] = this.#on ? 10 ** (this.#matches[i]!.db / 20) - 1 : 0;
    }
  }

  #reset(): void {
    for (const match of this.#matches) match.reset();
    this.#latest.fill(0);
  }
}

registerProcessor("demo-loudness", LoudnessProcessor as unknown as AudioWorkletProcessorConstructor);
